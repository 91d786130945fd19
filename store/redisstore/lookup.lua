#!lua flags=allow-oom
-- Looks up what was computed. When somebody has to compute it and nobody does, it falls to the asker, by a lease that ends by itself.
--
-- KEYS  1 answer   2 version of the segment
-- ARGV  1 asker   2 era: what was computed in another one does not count   3 rest, 4 grace, 5 lease in µs   6 time to live of the version in seconds
-- Returns  what to do: 'hit', 'stale' (somebody else computes it again), 'renew' (stale, and it falls to the asker), 'fill' (there is none, and it falls
--          to the asker), 'wait' (there is none, and somebody else computes it); version; time, age, life in µs; 1 when nothing has changed since,
--          else 0; when the lease began, '' without one; the answer, '' where there is none

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function whole(n) return string.format('%.0f', n) end

local version = redis.call('GET', KEYS[2])
local kept = redis.call('HMGET', KEYS[1], 'version', 'at', 'life', 'era', 'filler', 'leased', 'until')
local at, life = tonumber(kept[2] or '0'), tonumber(kept[3] or '0')
local age = now - at
-- A clock that was set back says nothing about an age.
local there = kept[2] and kept[4] == ARGV[2] and age >= 0
local same = there and version and kept[1] == version
local good = tonumber(ARGV[3])
if same then good = math.max(good, life) end

local function answer(what, leased)
  local body = ''
  if what == 'hit' or what == 'stale' or what == 'renew' then body = redis.call('HGET', KEYS[1], 'answer') end
  return {what, version, whole(now), whole(age), whole(life), same and 1 or 0, leased or '', body}
end

if there and age < good then return answer('hit') end
local stale = there and age < good + tonumber(ARGV[4])

if not version then
  -- Never one that there was before, also when Redis lost it: time goes on faster than changes do.
  version = whole(now)
  redis.call('SET', KEYS[2], version, 'EX', ARGV[6])
end
local leased = kept[6]
if not kept[5] or tonumber(kept[7]) <= now then
  leased = whole(now)
  redis.call('HSET', KEYS[1], 'filler', ARGV[1], 'leased', leased, 'until', whole(now + tonumber(ARGV[5])))
  redis.call('EXPIRE', KEYS[2], ARGV[6])
  local rest = math.ceil(tonumber(ARGV[5]) / 500)
  if redis.call('PTTL', KEYS[1]) < rest then redis.call('PEXPIRE', KEYS[1], rest) end
elseif kept[5] ~= ARGV[1] then
  return answer(stale and 'stale' or 'wait')
end
return answer(stale and 'renew' or 'fill', leased)
