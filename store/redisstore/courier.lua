#!lua flags=allow-oom
-- Keeps whether a courier is on duty, if it is not older news than what is kept: news of a lower epoch is older, whatever its rev. Who goes
-- off duty leaves the map.
--
-- KEYS  1 courier hash   2 geo set
-- ARGV  1 epoch, 0 when it is not known   2 rev   3 '1' on duty, '0' off   4 time to live in seconds   5 courier id
--       6 run of the server, '' when it is not known     7 fleet channel, or '' to keep without telling
--       8 the courier as a fleet message                  9 the command that publishes
-- Returns 1 when it was kept, 0 when newer news is, -1 when what is kept is of a higher epoch

local kept = redis.call('HMGET', KEYS[1], 'rev', 'epoch')
local epoch = tonumber(ARGV[1])
if kept[1] then
  local before = tonumber(kept[2] or '0')
  if epoch > 0 and epoch < before then return -1 end
  if (epoch == 0 or epoch == before) and tonumber(kept[1]) > tonumber(ARGV[2]) then return 0 end
end
redis.call('HSET', KEYS[1], 'rev', ARGV[2], 'duty', ARGV[3])
if epoch > 0 then redis.call('HSET', KEYS[1], 'epoch', ARGV[1]) end
-- Who tells of a change does not know whether this run has missed a later one; who has just read the truth does.
if ARGV[6] ~= '' and (ARGV[7] == '' or not kept[1]) then redis.call('HSET', KEYS[1], 'run', ARGV[6]) end
redis.call('EXPIRE', KEYS[1], ARGV[4])
if ARGV[3] == '0' then
  redis.call('HDEL', KEYS[1], 'pos', 'posrun', 'doubt')
  redis.call('ZREM', KEYS[2], ARGV[5])
end
if ARGV[7] ~= '' then redis.call(ARGV[9], ARGV[7], ARGV[8]) end
return 1
