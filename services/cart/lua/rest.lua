-- Takes carts that are backed up out of the idle set, but not those used meanwhile. KEYS: the idle set. ARGV: cart id and the last
-- use (ms) that was backed up, for each.
local rested = 0
for i = 1, #ARGV, 2 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if score and tonumber(score) == tonumber(ARGV[i + 1]) then rested = rested + redis.call('ZREM', KEYS[1], ARGV[i]) end
end
return rested
