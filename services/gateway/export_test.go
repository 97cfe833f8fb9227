package gateway

import "github.com/meridian-store/meridian/services/kit"

// DefinitionOf is the gateway with a test's own route table.
func DefinitionOf(yaml string) kit.Definition {
	return definition(func() (Table, error) { return ReadTable([]byte(yaml)) })
}
