-- Takes out what an order bought, once. ARGV: 7 order id, 8 version of the cart that was bought, 9 orders remembered, 10 the guest's
-- cart that was bought and has moved into this one, '' when this one was bought, then SKU and quantity of each line that was bought.
local cart = load()
if not cart then return { 'missing' } end
local order, bought = ARGV[7], tonumber(ARGV[8])
if cart.orders[order] then return { 'ok', redis.call('HGETALL', CART) } end
local guest = ARGV[10]
local moved = guest ~= ''
-- What was taken out of the guest's cart before it moved did not come along.
if moved and not cart.orders[guest] then return { 'ok', redis.call('HGETALL', CART) } end
for i = 11, #ARGV, 2 do
  local sku, quantity = ARGV[i], tonumber(ARGV[i + 1])
  local line = cart.lines[sku]
  -- A line that came after the purchase, even in place of one that was bought, is none of the order's.
  if line and line.quantity > 0 and (moved or line.added <= bought) then
    local left = 0
    if moved or line.version > bought then left = math.max(0, line.quantity - quantity) end
    put(cart, sku, left)
  end
end
cart.orders[order] = cart.version + 1
redis.call('HSET', CART, 'o:' .. order, whole(cart.version + 1))
local seen = {}
for name, version in pairs(cart.orders) do seen[#seen + 1] = { name = name, version = version } end
drop_oldest('o:', seen, tonumber(ARGV[9]))
return commit(cart)
