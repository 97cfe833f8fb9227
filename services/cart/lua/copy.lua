-- Keeps what other regions say of a cart of another region, and forgets the copies that were heard of least lately beyond the newest
-- ones that are kept. KEYS: the copy, the slot's set of copies. ARGV: 1 cart id, 2 now (ms), 3 time to live (ms), 4 copies kept, 5 what
-- copies' keys begin with, 6 the state.
redis.call('SET', KEYS[1], ARGV[6], 'PX', ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%d', tonumber(ARGV[2]) - tonumber(ARGV[3])))
local over = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[4])
if over > 0 then
  local oldest = redis.call('ZPOPMIN', KEYS[2], over)
  for i = 1, #oldest, 2 do redis.call('UNLINK', ARGV[5] .. oldest[i]) end
end
return 1
