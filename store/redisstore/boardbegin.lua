#!lua flags=allow-oom
-- Begins a day's board anew. From here on announcements are counted, so that none is missed which the truth does not tell its reader yet.
--
-- KEYS  1 board   2 scores   3 counted deliveries
-- ARGV  1 fence of who fills it   2 run of the server, '' when it is not known   3 time to live in seconds
-- Returns 1, or 0 when somebody with a later lease has begun it

local fence = redis.call('HGET', KEYS[2], 'fence')
if fence and tonumber(fence) > tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
local ends = redis.call('TIME')[1] + ARGV[3]
redis.call('HSET', KEYS[2], 'fence', ARGV[1], 'run', ARGV[2], 'epoch', 0, 'count', 0, 'until', string.format('%d', ends), 'full', '')
redis.call('EXPIREAT', KEYS[2], string.format('%d', ends))
return 1
