-- Puts the merge of a cart with what another region says of it, unless the cart has changed since it was read for that. ARGV: 7 version
-- that was read, '' for no cart, 8 '1' to announce the merge, then the fields of the merge.
local before = load()
if (before and whole(before.version) or '') ~= ARGV[7] then return { 'changed' } end
redis.call('HSET', CART, unpack(ARGV, 9))
local cart = load()
drop_tombstones(cart)
redis.call('PEXPIRE', CART, TTL)
redis.call('ZADD', IDLE, NOW, ID)
local flat = redis.call('HGETALL', CART)
if ARGV[8] == '1' then announce(cart.live == 0 and 'CartCleared' or 'CartChanged', flat) end
return { 'ok', flat, redis.call('HGETALL', SEEN) }
