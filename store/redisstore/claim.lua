#!lua flags=allow-oom
-- Puts a placeholder where there is none: its owner reads the delivery from the truth, and everybody else waits for them. What is kept by now is answered
-- too: whoever has the placeholder after somebody else need not read again what they have read.
--
-- KEYS  1 delivery hash   2 what was announced a moment ago   3 placeholder
-- ARGV  1 owner           2 life of the placeholder in milliseconds
-- Returns 1 when it is the owner's now, else 0; the hash's run; its record; what was announced a moment ago

local ours = redis.call('SET', KEYS[3], ARGV[1], 'NX', 'PX', ARGV[2])
local kept = redis.call('HMGET', KEYS[1], 'run', 'rec')
return {ours and 1 or 0, kept[1], kept[2], redis.call('GET', KEYS[2])}
