#!lua flags=allow-oom
-- Removes entries from a backlog for good, and takes what they held off its count of bytes. A full server runs it too: that is how it gets room.
--
-- KEYS  1 backlog stream   2 its count of bytes
-- ARGV  1 group            2… entry ids, and then as many sizes in bytes
-- Returns how many bytes were freed

local n = (#ARGV - 1) / 2
local freed = 0
-- Whatever is pending is there. What is not may have been settled by another worker, and must not be counted twice.
local all = redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 2, n + 1)) == n
if all then redis.call('XDEL', KEYS[1], unpack(ARGV, 2, n + 1)) end
for i = 2, n + 1 do
  if all or redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then freed = freed + ARGV[i + n] end
end

-- An empty backlog holds nothing, whatever was counted: so a count that went wrong comes right.
local held = tonumber(redis.call('GET', KEYS[2]) or 0) or 0
if held <= freed or redis.call('XLEN', KEYS[1]) == 0 then
  redis.call('SET', KEYS[2], 0)
elseif freed > 0 then
  redis.call('DECRBY', KEYS[2], freed)
end
return freed
