-- Takes or renews the right to send a slot's outbox. KEYS: the lease, the count of its epochs. ARGV: 1 holder, 2 the epoch that it
-- knows to be its own or '', 3 length (ms). Answers the epoch, 0 while another holds it.
local lease = redis.call('GET', KEYS[1])
if lease then
  local epoch, holder = lease:match('^(%d+)|(.*)$')
  if holder ~= ARGV[1] then return 0 end
  if epoch == ARGV[2] then
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return tonumber(epoch)
  end
end
local epoch = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], string.format('%d', epoch) .. '|' .. ARGV[1], 'PX', ARGV[3])
return epoch
