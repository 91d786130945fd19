#!lua flags=allow-oom
-- Makes a backlog's group where it is missing, from the very first entry on. A full server runs it too: a worker that is new must be able to drain it.
--
-- KEYS  1 backlog stream
-- ARGV  1 group
-- Returns 1 when the group was made, else 0

local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if not made.err then return 1 end
if string.find(made.err, 'BUSYGROUP', 1, true) then return 0 end
return made
