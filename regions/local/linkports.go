package local

// LinksAPI is where the links' proxies are controlled.
func (p Ports) LinksAPI() int { return p.Base + linksOffset }

// Link is where the i-th region connects to reach the j-th. A pair keeps its port when regions are added. The links of four regions
// fit below the gateways; those of a fifth stand behind the last region's block.
func (p Ports) Link(i, j int) int {
	high, low := max(i, j), min(i, j)
	place := high*(high-1) + 2*low
	if i > j {
		place++
	}
	if place < linksBelow {
		return p.LinksAPI() + 1 + place
	}
	return p.Base + regionOffset + regionBlock*maxRegions + place - linksBelow
}
