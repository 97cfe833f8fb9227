-- Puts a cart back from its backup, unless it has come back already. KEYS: the cart, the idle set of its slot.
-- ARGV: 1 cart id, 2 last use (ms), 3 time to live (ms), then the cart's fields.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
return 1
