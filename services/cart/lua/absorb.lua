-- Moves a guest's lines and promotion codes into a user's cart, once; makes the cart when it is missing. ARGV: 7 what stands for the
-- secret of a user's cart, 8 currency of a cart to make, 9 guest's cart, 10 merges and orders remembered, 11 highest quantity of a line,
-- 12 most lines, 13 most codes, 14 number of the guest's lines, then SKU and quantity of each, then code and title of each code, both in
-- the order in which the guest added them.
local FIRST = 15
local owner, currency, guest = ARGV[7], ARGV[8], ARGV[9]
local most, lines, codes = tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local first_code = FIRST + 2 * tonumber(ARGV[14])
local cart, problem = open(owner)
if problem == 'missing' then
  if #ARGV < FIRST then return { 'missing' } end -- nothing to move into nothing
  cart, problem = make(owner, currency), nil
end
if problem then return { problem } end
if cart.orders[guest] then return { 'ok', redis.call('HGETALL', CART), {} } end

local left_out = {}
for i = FIRST, first_code - 1, 2 do
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
for i = first_code, #ARGV, 2 do
  local before = cart.entered
  if before < codes then enter(cart, ARGV[i], ARGV[i + 1]) end
  if cart.entered > before then cart.version = cart.version + 1 end
end
cart.orders[guest] = cart.version
redis.call('HSET', CART, 'o:' .. guest, whole(cart.version))
local seen = {}
for name, version in pairs(cart.orders) do seen[#seen + 1] = { name = name, version = version } end
drop_oldest('o:', seen, tonumber(ARGV[10]))
if next(cart.changed) ~= nil or next(cart.changed_codes) ~= nil then cart.version = cart.version - 1 end -- commit raises it once more
local answer = commit(cart)
answer[4] = left_out
return answer
