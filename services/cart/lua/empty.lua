-- Takes everything out of a guest's cart whose lines have moved into a user's. ARGV: 7 the user's cart.
local cart = load()
if not cart then return { 'missing' } end
if cart.merged ~= ARGV[7] then return { 'wrong' } end
for sku in pairs(cart.lines) do put(cart, sku, 0) end
for code in pairs(cart.codes) do leave(cart, code) end
return commit(cart)
