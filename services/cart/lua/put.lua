-- Adds to a line or sets it. ARGV: 7 secret's hash, 8 currency of a cart to make ('' changes only a cart that exists), 9 add or
-- set, 10 SKU, 11 quantity, 12 highest quantity of a line, 13 most lines, 14 what the shopper is shown of the SKU ('' for nothing).
local secret, currency, sku, shown = ARGV[7], ARGV[8], ARGV[10], ARGV[14]
local quantity = tonumber(ARGV[11])
if quantity > tonumber(ARGV[12]) then return { 'quantity' } end
local cart, problem = open(secret)
if problem == 'missing' and currency ~= '' and quantity > 0 then
  cart, problem = make(secret, currency), nil
end
if problem then return { problem } end

local before = quantity_of(cart, sku)
if ARGV[9] == 'add' then quantity = quantity + before end
if quantity > tonumber(ARGV[12]) then return { 'quantity' } end
if before == 0 and quantity > 0 and cart.live >= tonumber(ARGV[13]) then return { 'lines' } end
put(cart, sku, quantity)
if shown ~= '' then
  redis.call('HSET', SEEN, sku, shown)
  redis.call('PEXPIRE', SEEN, TTL)
end
return commit(cart)
