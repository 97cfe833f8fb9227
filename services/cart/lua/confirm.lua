-- Takes out what an order bought, once, and the promotion codes that it was bought with. ARGV: 7 order id, 8 version of the cart that was
-- bought, 9 orders remembered, 10 the guest's cart that was bought and has moved into this one, '' when this one was bought, 11 number of
-- the codes that the guest's cart has had, those codes, then SKU and quantity of each line that was bought.
local cart = load()
if not cart then return { 'missing' } end
local order, bought = ARGV[7], tonumber(ARGV[8])
if cart.orders[order] then return { 'ok', redis.call('HGETALL', CART), {} } end
local guest = ARGV[10]
local moved = guest ~= ''
-- What was taken out of the guest's cart before it moved did not come along.
if moved and not cart.orders[guest] then return { 'ok', redis.call('HGETALL', CART), {} } end
local first_line = 12 + tonumber(ARGV[11])
for i = first_line, #ARGV, 2 do
  local sku, quantity = ARGV[i], tonumber(ARGV[i + 1])
  local line = cart.lines[sku]
  -- A line that came after the purchase, even in place of one that was bought, is none of the order's.
  if line and line.quantity > 0 and (moved or line.added <= bought) then
    local left = 0
    if moved or line.version > bought then left = math.max(0, line.quantity - quantity) end
    put(cart, sku, left)
  end
end
local came_along = {}
for i = 12, first_line - 1 do came_along[ARGV[i]] = true end
for code, entry in pairs(cart.codes) do
  if moved and came_along[code] and entry.added <= cart.orders[guest] or not moved and entry.added <= bought then leave(cart, code) end
end
cart.orders[order] = cart.version + 1
redis.call('HSET', CART, 'o:' .. order, whole(cart.version + 1))
local seen = {}
for name, version in pairs(cart.orders) do seen[#seen + 1] = { name = name, version = version } end
drop_oldest('o:', seen, tonumber(ARGV[9]))
return commit(cart)
