#!lua flags=allow-oom
-- Makes everything stale that was computed of a merchant or courier, and tells whoever has some of it in memory.
--
-- KEYS  1 version of the segment
-- ARGV  1 channel of the segment   2 channel of the courier's jobs, or ''   3 the command that publishes
-- Returns 1 when anything may have been computed of it, else 0

-- Without a version nothing counts that was computed before, and whoever computes next begins with a higher one.
local kept = redis.call('EXISTS', KEYS[1])
if kept == 1 then redis.call('INCR', KEYS[1]) end
redis.call(ARGV[3], ARGV[1], '')
if ARGV[2] ~= '' then redis.call(ARGV[3], ARGV[2], '') end
return kept
