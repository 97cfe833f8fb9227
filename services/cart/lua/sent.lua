-- Forgets entries that the broker has acknowledged, unless the lease has gone to another, who will send them again.
-- KEYS: the lease, the outbox. ARGV: 1 epoch|holder, then the entries' ids.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
return redis.call('XDEL', KEYS[2], unpack(ARGV, 2))
