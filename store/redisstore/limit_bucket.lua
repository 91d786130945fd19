-- Takes tokens of a bucket, by the generic cell rate algorithm: all that is kept is when it will be full again. Its twin in Go is
-- tracking.LimitState.takeToken.
--
-- KEYS  1 when the bucket will be full: i64, big-endian, Unix microseconds
-- ARGV  1 cost   2 how much the bucket holds   3 time between two tokens in microseconds
-- Returns allowed (1 or 0), remaining, microseconds until the reset, microseconds until a retry, and the time it was, Unix microseconds

local cost, quota, interval = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])

local full = now
local kept = redis.call('GET', KEYS[1])
if kept then full = math.max(now, (struct.unpack('>i8', kept))) end

local after = full + cost * interval
local allowed, retry = 0, 0
if after <= now + quota * interval then
  allowed, full = 1, after
  -- Buckets are full again when their subjects have let them, so that keys do not expire together.
  redis.call('SET', KEYS[1], struct.pack('>i8', full), 'PX', math.ceil((full - now) / 1000))
else
  retry = after - quota * interval - now
end
return {allowed, math.max(0, math.floor((now + quota * interval - full) / interval)), full - now, retry, now}
