package search

// shopWords are words of shops that mean the same, by name. Synonyms of merchants take the place of those that are called the same.
var shopWords = map[string]Synonyms{
	"t-shirt":   {Words: []string{"tshirt", "tee", "t shirt"}},
	"trousers":  {Words: []string{"trousers", "pants"}},
	"trainers":  {Words: []string{"trainers", "sneakers"}},
	"jumper":    {Words: []string{"jumper", "sweater", "pullover"}},
	"bicycle":   {Words: []string{"bicycle", "bike"}},
	"sofa":      {Words: []string{"sofa", "couch"}},
	"mug":       {Words: []string{"mug", "cup"}},
	"rucksack":  {Words: []string{"rucksack", "backpack"}},
	"grey":      {Words: []string{"grey", "gray"}},
	"colour":    {Words: []string{"colour", "color"}},
	"jewellery": {Words: []string{"jewellery", "jewelry"}},
	"lamp":      {Words: []string{"lamp", "light"}},
	"hat":       {Words: []string{"cap", "beanie"}, Root: "hat"},
	"mens":      {Words: []string{"men", "male"}},
	"duffel":    {Words: []string{"duffel", "duffle"}},
	"earbuds":   {Words: []string{"earbuds", "earphones"}},
	"notebook":  {Words: []string{"notebook", "journal"}},
	"duvet":     {Words: []string{"duvet", "comforter"}},
	"phone":     {Words: []string{"phone", "smartphone"}},
}
