#!lua flags=allow-oom
-- Removes consumers of a backlog's group that are gone. It looks and removes in one step, because a consumer takes what it has in hand along: if
-- it read something in between, nobody would ever be given that again.
--
-- KEYS  1 backlog stream
-- ARGV  1 group   2 for how long a consumer that is gone has not been heard of, in ms
-- Returns how many were removed

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local removed = 0
for _, pairs in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #pairs, 2 do consumer[pairs[i]] = pairs[i + 1] end
  if consumer.pending == 0 and consumer.idle > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    removed = removed + 1
  end
end
return removed
