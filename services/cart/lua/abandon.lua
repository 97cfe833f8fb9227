-- Announces, once, that nobody has changed a cart for long. KEYS: besides the common ones 5 the slot's set of rested carts. ARGV: 7 last
-- use (ms). Answers 1 when it did.
local RESTED = KEYS[5]
if redis.call('ZREM', RESTED, ID) == 0 then return 0 end -- another was first
local cart = load()
-- One that is used again is in the idle set, and rests anew.
-- Of a cart that was restored from another region its home tells.
if not cart or cart.site ~= '' or cart.merged or cart.live == 0 or cart.abandoned == cart.version or redis.call('ZSCORE', IDLE, ID) then return 0 end
cart.version = cart.version + 1 -- consumers judge by it, and an event of the same version would be no news
redis.call('HSET', CART, 'version', whole(cart.version), 'abandoned', whole(cart.version))
announce('CartAbandoned', redis.call('HGETALL', CART))
redis.call('ZADD', IDLE, ARGV[7], ID) -- to be backed up once more, lest a restored cart is announced again
return 1
