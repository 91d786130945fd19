-- Notes how far a phone's session has come in Postgres; a lower mark changes nothing.
--
-- KEYS  1 session hash
-- ARGV  1 durable seq   2 time to live in seconds
-- Returns 1 when the mark went up, else 0

local known = redis.call('HGET', KEYS[1], 'durable')
if known and tonumber(known) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'durable', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
