package feed

// Limits of contract.ProductInput and its parts, in characters or members. A test holds them to the contract's own tags.
const (
	MaxSlug         = 255
	MaxTitle        = 500
	MaxDescription  = 262144
	MaxBrand        = 200
	MaxCategory     = 200
	MaxTags         = 250
	MaxOptionName   = 100
	MaxOptionValues = 500
	MaxImages       = 250
	MaxImageURL     = 2048
	MaxImageAlt     = 500
	MaxVariants     = 2000
	MaxSKU          = 100
	MaxBarcode      = 100
	MaxWeightGrams  = 1_000_000_000
	MaxOnHand       = 1_000_000_000
)
