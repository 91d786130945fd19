#!lua flags=allow-oom
-- Makes the lease of whoever computes an answer last, or gives it back.
--
-- KEYS  1 answer
-- ARGV  1 holder   2 when the lease began   3 how long it is to last from now in µs; 0 gives it back
-- Returns 1 when it was the holder's, else 0

local held = redis.call('HMGET', KEYS[1], 'filler', 'leased')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then return 0 end
if ARGV[3] == '0' then
  redis.call('HDEL', KEYS[1], 'filler', 'leased', 'until')
  return 1
end
local clock = redis.call('TIME')
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', clock[1] * 1000000 + clock[2] + ARGV[3]))
local rest = math.ceil(tonumber(ARGV[3]) / 500)
if redis.call('PTTL', KEYS[1]) < rest then redis.call('PEXPIRE', KEYS[1], rest) end
return 1
