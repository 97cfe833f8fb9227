-- Lets a cart that is read live on. KEYS: the cart, the idle set of its slot, what its shopper was shown. ARGV: 1 cart id, 2 now (ms),
-- 3 time to live (ms).
if redis.call('PEXPIRE', KEYS[1], ARGV[3]) == 1 then
  redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[3], ARGV[3])
end
return 1
