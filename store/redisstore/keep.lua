#!lua
-- Keeps what was computed, for whom it fell to alone, and ends their lease. It is as new as it was when it was begun, whatever has changed since. A server
-- that is full takes none.
--
-- KEYS  1 answer
-- ARGV  1 holder of the lease   2 when it began   3 version and 4 time in µs before it was computed   5 life in µs   6 era   7 the answer
--       8 time to live in ms
-- Returns 1 when it was kept, 0 when the lease is somebody else's by now

local held = redis.call('HMGET', KEYS[1], 'filler', 'leased')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[3], 'at', ARGV[4], 'life', ARGV[5], 'era', ARGV[6], 'answer', ARGV[7])
redis.call('HDEL', KEYS[1], 'filler', 'leased', 'until')
redis.call('PEXPIRE', KEYS[1], ARGV[8])
return 1
