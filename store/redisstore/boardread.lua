#!lua flags=no-writes
-- Reads the best of a day's board, if all of it is there: its parts may have been evicted one by one.
--
-- KEYS  1 board   2 scores   3 counted deliveries
-- ARGV  1 epoch, 0 when it is not known   2 run of the server, '' when it is not known   3 how many
-- Returns couriers' ids, the best first, each followed by 'delivered,promised,on time'; nil when there is no board that can be believed

local meta = redis.call('HMGET', KEYS[2], 'full', 'epoch', 'run', 'count')
if meta[1] ~= '1' or tonumber(meta[2]) < tonumber(ARGV[1]) or ARGV[2] ~= '' and meta[3] ~= ARGV[2] then return false end
-- Beside the couriers' there are six fields.
if redis.call('SCARD', KEYS[3]) ~= tonumber(meta[4]) or redis.call('ZCARD', KEYS[1]) ~= redis.call('HLEN', KEYS[2]) - 6 then return false end
local best = {}
for i, courier in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, ARGV[3] - 1)) do
  best[2 * i - 1], best[2 * i] = courier, redis.call('HGET', KEYS[2], courier)
end
return best
