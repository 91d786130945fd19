#!lua flags=allow-oom
-- Lets a lock live longer, if its holder still holds it.
--
-- KEYS  1 lock
-- ARGV  1 token   2 time to live in ms
-- Returns 1 when it does, else 0

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
