package seed

func brands() []string {
	return []string{
		"Harrow & Finch", "Nordvik", "Tidewater", "Ostra", "Larkfield", "Moor & Mill", "Kestrel Works", "Saltmarsh", "Vesper", "Brae",
		"Oakhaven", "Fjellrev", "Linden & Co", "Pallas", "Quarry", "Rill", "Sundry", "Thistle & Thread", "Umber", "Wayfarer Goods",
		"Alta Ridge", "Blythe", "Copperline", "Dunmore",
	}
}

func models() []string {
	return []string{
		"Alder", "Birch", "Cairn", "Delta", "Ember", "Fen", "Gale", "Harbor", "Isle", "Juniper", "Kelp", "Loch", "Mesa", "North", "Orchard",
		"Pike", "Quill", "Ridge", "Skerry", "Tarn", "Upland", "Vale", "Willow", "Yarrow", "Zephyr", "Ash", "Bracken", "Cove", "Dale", "Elm",
		"Firth", "Grove", "Heath", "Inlet", "Jetty", "Knoll", "Lea", "Marsh", "Nook", "Otter", "Pine", "Reed", "Summit", "Thorn", "Wold",
		"Amber", "Beacon", "Cliff", "Dune", "Estuary", "Flint", "Glen", "Hollow", "Ivy", "Kite", "Lantern", "Meadow", "Nettle", "Opal",
		"Prairie", "Rowan", "Sable", "Tide", "Wren",
	}
}

func origins() []string {
	return []string{"Portugal", "Italy", "Ireland", "Japan", "Vietnam", "India", "Turkey", "Scotland", "Denmark", "Peru", "Taiwan", "Germany"}
}
