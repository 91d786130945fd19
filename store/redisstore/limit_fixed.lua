-- Takes of a limit that counts in windows, each of which begins with its first request. Its twin in Go is tracking.LimitState.takeFixed.
--
-- KEYS  1 what the subject has taken: since i64 and used i64, big-endian; since in Unix microseconds
-- ARGV  1 cost   2 limit   3 period in microseconds
-- Returns allowed (1 or 0), remaining, microseconds until the reset, microseconds until a retry, and the time it was, Unix microseconds

local cost, limit, period = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])

local since, used = 0, 0
local kept = redis.call('GET', KEYS[1])
if kept then since, used = struct.unpack('>i8i8', kept) end
if since == 0 or since + period <= now then since, used = now - now % 1000, 0 end

local left = since + period - math.max(now, since)
local allowed, retry = 0, left
if used + cost <= limit then
  allowed, retry, used = 1, 0, used + cost
  -- Windows begin when their subjects come, so that keys do not expire together.
  redis.call('SET', KEYS[1], struct.pack('>i8i8', since, used), 'PX', math.ceil(left / 1000))
end
return {allowed, limit - used, left, retry, now}
