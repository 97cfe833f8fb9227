-- Enters a promotion code or takes it out. ARGV: 7 secret's hash, 8 currency of a cart to make ('' changes only a cart that exists),
-- 9 enter or leave, 10 code, 11 its title, 12 most codes.
local secret, currency, code = ARGV[7], ARGV[8], ARGV[10]
local cart, problem = open(secret)
if problem == 'missing' and currency ~= '' then
  cart, problem = make(secret, currency), nil
end
if problem then return { problem } end
if ARGV[9] == 'leave' then
  leave(cart, code)
else
  enter(cart, code, ARGV[11])
  if cart.entered > tonumber(ARGV[12]) then return { 'codes' } end
end
return commit(cart)
