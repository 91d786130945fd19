#!lua flags=allow-oom
-- Keeps a delivery's record if it is not older than the one kept, and tells everybody who watches.
--
-- KEYS  1 delivery hash   2 what was announced a moment ago   3 placeholder of whoever fills it
-- ARGV  1 epoch   2 rev   3 record in wire form   4 time to live in seconds   5 run of the server, '' when it is not known
--       6 delivery channel, or '' to keep without telling   7 fleet channel   8 the record as a fleet message
--       9 the command that publishes   10 owner of the placeholder, when it is kept without telling
--       11 how long it was announced a moment ago, in milliseconds: as long as reading the truth can take
--       12 what was announced last when that began, when it is kept without telling
-- Returns 1 when it was kept, -1 when what is kept is of a higher epoch, else 0

local told
if ARGV[6] ~= '' then
  told = redis.call('SET', KEYS[2], ARGV[1] .. '.' .. ARGV[2], 'PX', ARGV[11], 'GET')
else
  if redis.call('GET', KEYS[3]) == ARGV[10] then redis.call('DEL', KEYS[3]) end
  -- What was announced since may be newer than what was read, and be gone already, so that there is nothing to compare with.
  told = redis.call('GET', KEYS[2])
  if told and told ~= ARGV[12] then return 0 end
end
local kept = redis.call('HMGET', KEYS[1], 'epoch', 'rev')
if kept[1] then
  local epoch, rev = tonumber(kept[1]), tonumber(kept[2])
  if epoch > tonumber(ARGV[1]) then return -1 end
  if epoch == tonumber(ARGV[1]) and rev > tonumber(ARGV[2]) then return 0 end
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'rev', ARGV[2], 'rec', ARGV[3])
-- Who tells of a change knows that one. That none has followed it which is not here is known to those who have just read the truth; and to who created it, unless
-- something was announced already: that may have been a change that was quicker, and is gone again.
if ARGV[5] ~= '' and (ARGV[6] == '' or not kept[1] and not told) then redis.call('HSET', KEYS[1], 'run', ARGV[5]) end
redis.call('EXPIRE', KEYS[1], ARGV[4])
if ARGV[6] ~= '' then
  redis.call(ARGV[9], ARGV[6], ARGV[3])
  redis.call(ARGV[9], ARGV[7], ARGV[8])
end
return 1
