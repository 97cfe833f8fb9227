-- Empties the cart. ARGV: 7 secret's hash.
local cart, problem = open(ARGV[7])
if problem then return { problem } end
for sku in pairs(cart.lines) do put(cart, sku, 0) end
return commit(cart)
