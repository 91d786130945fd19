-- Gives a lock back, if its holder still holds it: by the time that it comes, the lock may be another's.
--
-- KEYS  1 lock
-- ARGV  1 token
-- Returns 1 when it was given back, else 0

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
