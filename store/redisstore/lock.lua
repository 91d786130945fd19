#!lua flags=allow-oom
-- Takes a lock that nobody holds, under a number that only grows: it outlives the lock, and a server that has forgotten it begins at the time,
-- in microseconds, which is higher than any that was reached by counting.
--
-- KEYS  1 lock   2 its fence
-- ARGV  1 token   2 time to live in ms   3 number to exceed   4 time to live of the fence in seconds
-- Returns the fence, or 0 when somebody holds the lock

if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
local time = redis.call('TIME')
local last = math.max(tonumber(redis.call('GET', KEYS[2]) or 0), tonumber(ARGV[3]))
local fence = math.max(last + 1, time[1] * 1000000 + time[2])
-- Sixteen digits are more than a number has when Lua writes it out by itself.
redis.call('SET', KEYS[2], string.format('%.0f', fence), 'EX', ARGV[4])
return fence
