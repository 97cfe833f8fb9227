-- Empties the cart, of its promotion codes too. ARGV: 7 secret's hash.
local cart, problem = open(ARGV[7])
if problem then return { problem } end
for sku in pairs(cart.lines) do put(cart, sku, 0) end
for code in pairs(cart.codes) do leave(cart, code) end
return commit(cart)
