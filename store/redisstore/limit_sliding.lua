-- Takes of a limit that counts in this window and in the one before, of which it counts the part that a window ending now would still cover. Its twin in
-- Go is tracking.LimitState.takeSliding, which says why.
--
-- KEYS  1 what the subject has taken: since i64, used i64 and before i64, big-endian; since in Unix microseconds
-- ARGV  1 cost   2 limit   3 period in milliseconds
-- Returns allowed (1 or 0), remaining, microseconds until the reset, microseconds until a retry, and the time it was, Unix microseconds

local cost, limit, period = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])

local since, used, before = 0, 0, 0
local kept = redis.call('GET', KEYS[1])
if kept then since, used, before = struct.unpack('>i8i8i8', kept) end
since = since / 1000
local ms = math.max(math.floor(now / 1000), since)
local passed = ms - since
if since == 0 or passed >= 2 * period then
  since, used, before = ms, 0, 0
elseif passed >= period then
  since, used, before = since + period, 0, used
end

local left = period - (ms - since)
local room = limit * period - before * left
local allowed = 0
if (used + cost) * period <= room then
  allowed, used = 1, used + cost
  -- Windows begin when their subjects come, so that keys do not expire together.
  redis.call('SET', KEYS[1], struct.pack('>i8i8i8', since * 1000, used, before), 'PX', left + period)
end

local reset, retry = 0, 0
if used > 0 then reset = left + period elseif before > 0 then reset = left end
if allowed == 0 then
  local free = limit - used - cost
  if free >= 0 then
    retry = left - math.floor(free * period / before)
  else
    retry = left + math.max(0, period - math.floor((limit - cost) * period / used))
  end
end
return {allowed, math.max(0, math.floor(room / period) - used), reset * 1000, retry * 1000, now}
