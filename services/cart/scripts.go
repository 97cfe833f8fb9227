package cart

import (
	_ "embed"

	"github.com/redis/rueidis"
)

// The scripts, each the whole of one change, so that a change is one round trip and happens entirely or not at all.
var (
	//go:embed lua/cart.lua
	commonSource string
	//go:embed lua/put.lua
	putSource string
	//go:embed lua/clear.lua
	clearSource string
	//go:embed lua/code.lua
	codeSource string
	//go:embed lua/confirm.lua
	confirmSource string
	//go:embed lua/freeze.lua
	freezeSource string
	//go:embed lua/absorb.lua
	absorbSource string
	//go:embed lua/empty.lua
	emptySource string
	//go:embed lua/restore.lua
	restoreSource string
	//go:embed lua/replace.lua
	replaceSource string
	//go:embed lua/copy.lua
	copySource string
	//go:embed lua/touch.lua
	touchSource string
	//go:embed lua/rest.lua
	restSource string
	//go:embed lua/abandon.lua
	abandonSource string
	//go:embed lua/hold.lua
	holdSource string
	//go:embed lua/sent.lua
	sentSource string
)

// scripts are sent by their digests, and once in full to a Redis that does not know them yet.
type scripts struct {
	put, clear, code, confirm, freeze, absorb, empty, abandon, replace, copy, restore, touch, rest *rueidis.Lua
}

func newScripts() scripts {
	change := func(source string) *rueidis.Lua { return rueidis.NewLuaScript(commonSource + "\n" + source) }
	return scripts{
		put: change(putSource), clear: change(clearSource), code: change(codeSource), confirm: change(confirmSource),
		freeze: change(freezeSource), absorb: change(absorbSource), empty: change(emptySource), abandon: change(abandonSource), replace: change(replaceSource),
		// These may be repeated without harm, and so rueidis may repeat them after a lost connection.
		restore: rueidis.NewLuaScriptRetryable(restoreSource), touch: rueidis.NewLuaScriptRetryable(touchSource),
		copy: rueidis.NewLuaScriptRetryable(copySource),
		rest: rueidis.NewLuaScriptRetryable(restSource),
	}
}
