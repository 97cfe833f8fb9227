package inventory

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/geo"
)

var (
	skus   = rapid.SampledFrom([]string{"A", "B", "C", "D"})
	places = []place{{"us-east", iad}, {"eu-west", dub}, {"ap-southeast", sin}, {"eu-west", "cdg-1"}}
)

// situations draws lines, stock and a way of warehouses.
func drawSituation(t *rapid.T) ([]contract.SKUCount, []bucket, []place) {
	way := rapid.Permutation(places).Draw(t, "way")
	way = way[:rapid.IntRange(1, len(way)).Draw(t, "stops")]
	var stock []bucket
	for _, sku := range []string{"A", "B", "C"} {
		for _, p := range places {
			for number := range rapid.Int64Range(0, 3).Draw(t, "buckets") {
				onHand := rapid.Int64Range(0, 6).Draw(t, "on hand")
				stock = append(stock, bucket{
					shelf: shelf{sku, p}, number: number, onHand: onHand, reserved: rapid.Int64Range(0, onHand).Draw(t, "reserved"),
				})
			}
		}
	}
	lines := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) contract.SKUCount {
		return contract.SKUCount{SKU: skus.Draw(t, "sku"), Quantity: rapid.Int64Range(1, 9).Draw(t, "quantity")}
	}), 1, 6).Draw(t, "lines")
	summed, err := sumLines(lines)
	if err != nil {
		t.Fatal(err)
	}
	return summed, stock, way
}

func TestAllocationsCoverEveryLineOrNone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		summed, stock, way := drawSituation(t)
		left := supplyOf(stock, rapid.Int64Range(0, 4).Draw(t, "own"))
		takings, shortages := left.allocate(summed, way)
		eachBucketGaveWhatWasTaken(t, stock, left, takings)
		allocations := merged(takings)
		available := func(sku string, p place) (n int64) {
			for _, b := range stock {
				if b.shelf == (shelf{sku, p}) {
					n += b.available()
				}
			}
			return n
		}
		taken := map[string]map[place]int64{}
		for _, a := range allocations {
			if taken[a.SKU] == nil {
				taken[a.SKU] = map[place]int64{}
			}
			if _, twice := taken[a.SKU][place{a.Region, a.Warehouse}]; twice || a.Quantity < 1 {
				t.Fatalf("the allocations %+v hold a shelf twice or nothing", allocations)
			}
			taken[a.SKU][place{a.Region, a.Warehouse}] = a.Quantity
		}
		var short []shortage
		for _, line := range summed {
			var total, covered int64
			nearerLeft := int64(0)
			for _, p := range way {
				got, has := taken[line.SKU][p], available(line.SKU, p)
				if got > has {
					t.Fatalf("%d of %s taken at %v, which has %d", got, line.SKU, p, has)
				}
				if got > 0 && nearerLeft > 0 {
					t.Fatalf("%s taken at %v although a nearer warehouse has %d left", line.SKU, p, nearerLeft)
				}
				nearerLeft += has - got
				total += has
				covered += got
			}
			if total < line.Quantity {
				short = append(short, shortage{line.SKU, line.Quantity, total})
			} else if len(shortages) == 0 && covered != line.Quantity {
				t.Fatalf("%d of %s allocated, want %d", covered, line.SKU, line.Quantity)
			}
		}
		if !reflect.DeepEqual(shortages, short) {
			t.Fatalf("short of %v, want %v", shortages, short)
		}
		if len(short) > 0 && len(allocations) > 0 {
			t.Fatalf("a part was allocated: %v", allocations)
		}
	})
}

// eachBucketGaveWhatWasTaken compares what is left for the next plan with what was there.
func eachBucketGaveWhatWasTaken(t *rapid.T, before []bucket, left supply, takings []taking) {
	taken := map[bucketKey]int64{}
	for _, t := range takings {
		taken[bucketKey{shelfOf(t.Allocation), t.Bucket}] += t.Quantity
	}
	for _, b := range before {
		key := bucketKey{b.shelf, b.number}
		i := slices.IndexFunc(left[b.shelf], func(other bucket) bool { return other.number == b.number })
		if got := b.available() - left[b.shelf][i].available(); got != taken[key] || taken[key] > b.available() {
			t.Fatalf("%+v gave %d, %d were taken", b, got, taken[key])
		}
	}
}

// A process begins with its own bucket, and processes of other numbers with others, as far as there are so many.
func TestEachProcessTakesFromItsOwnBucketFirst(t *testing.T) {
	t.Parallel()
	here := shelf{"A", places[0]}
	for own, want := range map[int64][]int64{0: {0, 1, 2}, 1: {1, 2, 0}, 2: {2, 0, 1}, 3: {0, 1, 2}} {
		var stock []bucket
		for number := range int64(3) {
			stock = append(stock, bucket{shelf: here, number: number, onHand: 2})
		}
		takings, _ := supplyOf(stock, own).allocate([]contract.SKUCount{{SKU: "A", Quantity: 5}}, places[:1])
		var got []int64
		for _, t := range takings {
			got = append(got, t.Bucket)
		}
		if !slices.Equal(got, want) || takings[0].Quantity != 2 || takings[2].Quantity != 1 {
			t.Errorf("process %d took %+v, want buckets %v", own, takings, want)
		}
	}
}

func TestLinesOfOneSKUAreSummed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) contract.SKUCount {
			return contract.SKUCount{SKU: skus.Draw(t, "sku"), Quantity: rapid.Int64Range(1, contract.MaxLineQuantity).Draw(t, "quantity")}
		}), 1, contract.MaxCartLines).Draw(t, "lines")
		summed, err := sumLines(lines)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int64{}
		for _, l := range lines {
			want[l.SKU] += l.Quantity
		}
		got := map[string]int64{}
		for _, l := range summed {
			got[l.SKU] += l.Quantity
		}
		if len(summed) != len(want) || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v", summed, want)
		}
		shuffled, err := sumLines(rapid.Permutation(lines).Draw(t, "shuffled"))
		if err != nil {
			t.Fatal(err)
		}
		one, err1 := hashRequest("IE", summed)
		other, err2 := hashRequest("IE", shuffled)
		if err1 != nil || err2 != nil || one != other {
			t.Fatalf("the same lines in another order are another request: %v, %v", err1, err2)
		}
		if elsewhere, err := hashRequest("SG", summed); err != nil || elsewhere == one {
			t.Fatalf("another country is the same request, %v", err)
		}
	})
}

func TestLinesThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	many := make([]contract.SKUCount, contract.MaxCartLines+1)
	for i := range many {
		many[i] = contract.SKUCount{SKU: fmt.Sprint(i), Quantity: 1}
	}
	for field, lines := range map[string][]contract.SKUCount{
		"lines":             many,
		"lines[0].sku":      {{SKU: "", Quantity: 1}},
		"lines[1].sku":      {{SKU: "A", Quantity: 1}, {SKU: "a\x00", Quantity: 1}},
		"lines[0].quantity": {{SKU: "A", Quantity: 0}},
		"lines[2].quantity": {{SKU: "A", Quantity: 1}, {SKU: "B", Quantity: 1}, {SKU: "C", Quantity: contract.MaxLineQuantity + 1}},
	} {
		_, err := sumLines(lines)
		typed, ok := err.(*contract.Error) //nolint:errorlint // it is made there, unwrapped
		if !ok || typed.Field != field {
			t.Errorf("got %v, want it to name %s", err, field)
		}
	}
}

func TestTheWayBeginsNearTheGoodsDestination(t *testing.T) {
	t.Parallel()
	regions := []contract.Region{
		{Region: geo.Region{Name: "us-east", Point: geo.Point{Latitude: 39, Longitude: -77}, Countries: []string{"US"}},
			Warehouses: []contract.Warehouse{{Code: iad, Point: geo.Point{Latitude: 39, Longitude: -77}}}},
		{Region: geo.Region{Name: "eu-west", Point: geo.Point{Latitude: 53, Longitude: -6}, Countries: []string{"IE", "FR"}},
			Warehouses: []contract.Warehouse{{Code: "cdg-1", Point: geo.Point{Latitude: 49, Longitude: 2.5}}, {Code: dub, Point: geo.Point{Latitude: 53, Longitude: -6}}}},
		{Region: geo.Region{Name: "ap-southeast", Point: geo.Point{Latitude: 1, Longitude: 104}, Countries: []string{"SG"}},
			Warehouses: []contract.Warehouse{{Code: sin, Point: geo.Point{Latitude: 1, Longitude: 104}}}},
	}
	for country, want := range map[string][]string{
		"IE": {dub, "cdg-1", iad, sin}, "US": {iad, dub, "cdg-1", sin}, "SG": {sin, "cdg-1", dub, iad},
		"AQ": {sin, "cdg-1", dub, iad}, "": {sin, "cdg-1", dub, iad}, // nobody's: from the serving region
	} {
		var got []string
		for _, stop := range route(country, "ap-southeast", regions) {
			got = append(got, stop.warehouse)
		}
		if !slices.Equal(got, want) {
			t.Errorf("to %q the way is %v, want %v", country, got, want)
		}
	}
}
