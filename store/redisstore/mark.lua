#!lua flags=allow-oom
-- Notes how far a phone's session has come in Postgres. A lower mark changes nothing, except one of a higher epoch: what was known before
-- it may not have happened, and goes.
--
-- KEYS  1 session hash
-- ARGV  1 epoch, 0 when it is not known   2 durable seq   3 time to live in seconds
--       4 run of the server when the truth was asked for the mark, '' when that is not known or the mark is one commit's
-- Returns 1 when the mark was made, else 0

local kept = redis.call('HMGET', KEYS[1], 'durable', 'epoch')
local epoch = tonumber(ARGV[1])
if kept[1] then
  local before = tonumber(kept[2] or '0')
  if epoch > before then
    redis.call('DEL', KEYS[1])
    kept[1] = false
  elseif epoch > 0 and epoch < before then
    return 0
  end
end
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'run', ARGV[4]) end
if kept[1] and tonumber(kept[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'durable', ARGV[2])
if epoch > 0 then redis.call('HSET', KEYS[1], 'epoch', ARGV[1]) end
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
