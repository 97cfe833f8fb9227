package geo

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	minKind     = 2
	maxKind     = 8
	maxIDLength = maxKind + 1 + 3 + 1 + ulidLength
)

var (
	errIDForm = errors.New("not an id of the form kind_region_ULID, such as ord_use_01ARZ3NDEKTSV4RRFFQ69G5FAV")
	errIDKind = fmt.Errorf("an id's kind is %d to %d lower-case letters", minKind, maxKind)
	errIDCode = errors.New("an id's region code is three lower-case letters")
)

// ID is the parsed form of ids such as ord_use_01ARZ3NDEKTSV4RRFFQ69G5FAV. Whoever holds one
// knows the home region without a look-up.
type ID struct {
	Kind   string // what it names: "ord", "usr", "crt"; 2 to 8 lower-case letters
	Region string // the home region's code: three lower-case letters
	ULID   ULID
}

// String is the canonical text, the only one ParseID accepts.
func (id ID) String() string { return id.Kind + "_" + id.Region + "_" + id.ULID.String() }

// Time is when the id was made, to the millisecond, in UTC. It is the maker's clock: good for
// display and locality, not for judging what happened first.
func (id ID) Time() time.Time { return id.ULID.Time() }

// ParseID reads an id and refuses any spelling but the canonical one. The errors never repeat
// the text, which may come from anyone.
func ParseID(text string) (ID, error) {
	if len(text) > maxIDLength {
		return ID{}, errIDForm
	}
	kind, rest, ok := strings.Cut(text, "_")
	if !ok {
		return ID{}, errIDForm
	}
	region, ulid, ok := strings.Cut(rest, "_")
	if !ok {
		return ID{}, errIDForm
	}
	if err := checkPrefix(kind, region); err != nil {
		return ID{}, err
	}
	parsed, err := parseULID(ulid)
	if err != nil {
		return ID{}, err
	}
	return ID{Kind: kind, Region: region, ULID: parsed}, nil
}

// IDs makes ids. The zero value is ready: it uses the wall clock and crypto/rand.
// It is safe for concurrent use when its Clock and Random are.
type IDs struct {
	Clock  func() time.Time // nil means time.Now
	Random io.Reader        // nil means crypto/rand; ten bytes are read for each id
}

// New makes an id such as ord_use_01ARZ3NDEKTSV4RRFFQ69G5FAV. Two ids made in the same
// millisecond sort at random. Like regexp.MustCompile it panics on what only a programming
// mistake can cause: a malformed kind or region code, a clock before 1970, a failing Random.
func (ids IDs) New(kind, regionCode string) string {
	if err := checkPrefix(kind, regionCode); err != nil {
		panic(fmt.Sprintf("geo: new id %q in region %q: %v", kind, regionCode, err))
	}
	clock, random := ids.Clock, ids.Random
	if clock == nil {
		clock = time.Now
	}
	if random == nil {
		random = rand.Reader
	}
	var entropy [10]byte
	if _, err := io.ReadFull(random, entropy[:]); err != nil {
		panic(fmt.Sprintf("geo: new id: random bytes: %v", err))
	}
	ulid, err := newULID(clock(), entropy)
	if err != nil {
		panic(fmt.Sprintf("geo: new id: %v", err))
	}
	return ID{Kind: kind, Region: regionCode, ULID: ulid}.String()
}

// NewID makes an id with the wall clock and crypto/rand; see IDs.New.
func NewID(kind, regionCode string) string { return IDs{}.New(kind, regionCode) }

func checkPrefix(kind, region string) error {
	if len(kind) < minKind || len(kind) > maxKind || strings.Trim(kind, "abcdefghijklmnopqrstuvwxyz") != "" {
		return errIDKind
	}
	if !ValidRegionCode(region) {
		return errIDCode
	}
	return nil
}
