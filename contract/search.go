package contract

// Where a region's search service is asked to compare its index with the catalog and mend it, and to build it anew: POST, by operators.
const (
	PathSearchCheck   = "/internal/v1/search/check"
	PathSearchRebuild = "/internal/v1/search/rebuild"
)
