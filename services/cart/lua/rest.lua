-- Moves carts that are backed up from the idle set to the rested ones, but not those used meanwhile. KEYS: the idle set, the set of rested
-- carts. ARGV: cart id and the last use (ms) that was backed up, for each.
local rested = 0
for i = 1, #ARGV, 2 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if score and tonumber(score) == tonumber(ARGV[i + 1]) then
    rested = rested + redis.call('ZREM', KEYS[1], ARGV[i])
    redis.call('ZADD', KEYS[2], ARGV[i + 1], ARGV[i])
  end
end
return rested
