package feed

import "github.com/meridian-store/meridian/contract"

// Source is a Reader of a file that was gone through once already, so that what is wrong with the file as a whole is known before
// the first product is handed out.
type Source interface {
	Reader
	// Size is how many bytes the file has: what BytesRead comes to.
	Size() int64
	// Categories gives the categories that the products name, parents first, in the order in which the file names them.
	Categories() []contract.CategoryInput
}
