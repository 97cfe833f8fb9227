-- Closes a guest's cart that is to become part of a user's, with its lines as they are: none is added or taken out from here on but by
-- the merge. ARGV: 7 secret's hash, 8 the user's cart.
local secret, target = ARGV[7], ARGV[8]
local cart = load()
if not cart then return { 'missing' } end
if cart.secret ~= secret then return { 'wrong' } end
if cart.merged and cart.merged ~= target then return { 'merged' } end
if not cart.merged then redis.call('HSET', CART, 'merged', target, 'version', whole(cart.version + 1)) end
return { 'ok', redis.call('HGETALL', CART), {} }
