-- Moves a guest's lines into a user's cart, once; makes the cart when it is missing. ARGV: 7 what stands for the secret of a user's
-- cart, 8 currency of a cart to make, 9 guest's cart, 10 merges and orders remembered, 11 highest quantity of a line, 12 most lines,
-- then SKU and quantity of each line, in the order in which the guest added them.
local owner, currency, guest = ARGV[7], ARGV[8], ARGV[9]
local most, lines = tonumber(ARGV[11]), tonumber(ARGV[12])
local cart, problem = open(owner)
if problem == 'missing' then
  if #ARGV == 12 then return { 'missing' } end -- nothing to move into nothing
  cart, problem = make(owner, currency), nil
end
if problem then return { problem } end
if cart.orders[guest] then return { 'ok', redis.call('HGETALL', CART) } end

local left_out = {}
for i = 13, #ARGV, 2 do
  local sku, wanted = ARGV[i], tonumber(ARGV[i + 1])
  local before = quantity_of(cart, sku)
  local room = most - before
  if before == 0 and cart.live >= lines then room = 0 end
  local taken = math.min(wanted, room)
  if taken > 0 then
    put(cart, sku, before + taken)
    -- Each line gets its own version, so that the lines stand in the guest's order.
    cart.version = cart.version + 1
  end
  if taken < wanted then
    left_out[#left_out + 1] = sku
    left_out[#left_out + 1] = whole(wanted - taken)
  end
end
cart.orders[guest] = cart.version
redis.call('HSET', CART, 'o:' .. guest, whole(cart.version))
local seen = {}
for name, version in pairs(cart.orders) do seen[#seen + 1] = { name = name, version = version } end
drop_oldest('o:', seen, tonumber(ARGV[10]))
if next(cart.changed) ~= nil then cart.version = cart.version - 1 end -- commit raises it once more
local answer = commit(cart)
answer[3] = left_out
return answer
