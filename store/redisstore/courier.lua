-- Keeps whether a courier is on duty, if it is not older news than what is kept. Who goes off duty leaves the map.
--
-- KEYS  1 courier hash   2 geo set
-- ARGV  1 rev   2 '1' on duty, '0' off   3 time to live in seconds   4 courier id
--       5 fleet channel, or '' to keep without telling   6 the courier as a fleet message
-- Returns 1 when it was kept, else 0

local rev = redis.call('HGET', KEYS[1], 'rev')
if rev and tonumber(rev) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'rev', ARGV[1], 'duty', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
if ARGV[2] == '0' then
  redis.call('HDEL', KEYS[1], 'pos')
  redis.call('ZREM', KEYS[2], ARGV[4])
end
if ARGV[5] ~= '' then redis.call('PUBLISH', ARGV[5], ARGV[6]) end
return 1
