package launcher

// LinksAPI is where the links' proxies are controlled.
func (p Ports) LinksAPI() int { return p.Base + linksOffset }

// BrokerLink is where the i-th region connects to read the j-th's broker: at the end of its own block, or, from the sixth region on,
// behind everything else.
func (p Ports) BrokerLink(i, j int) int {
	place := j
	if j > i {
		place--
	}
	if place < brokerLinksInBlock {
		return p.inRegion(i, firstBrokerLink+place)
	}
	return p.Base + regionOffset + regionBlock*maxRegions + maxRegions*(maxRegions-1) + i*maxRegions + place
}

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
