package imports

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/feed/publish"
	"github.com/meridian-store/meridian/kit/httpx"
)

// batchTimeout is how long a neighbour may take for a batch.
const batchTimeout = 30 * time.Second

// neighbours is the shop as a service of its own sees it: the catalog and the inventory of this region.
type neighbours struct{ client *httpx.Client }

// Send implements publish.Shop.
func (n neighbours) Send(ctx context.Context, what publish.Kind, batch json.RawMessage, answer any) error {
	call := httpx.Call{Method: http.MethodPost, In: batch, Out: answer, Timeout: batchTimeout}
	switch what {
	case publish.Categories:
		call.Service, call.Path = contract.ServiceCatalog, "/internal/v1/categories/bulk"
	case publish.Products:
		call.Service, call.Path = contract.ServiceCatalog, "/internal/v1/products/bulk"
	default:
		call.Service, call.Path = contract.ServiceInventory, "/internal/v1/counts"
	}
	err := n.client.Do(ctx, call)
	if contract.CodeOf(err) == contract.CodeInternal {
		// Its engine may be away for a moment; the batch does no harm a second time.
		return contract.Unavailable(err, "%s failed", call.Service)
	}
	return err
}
