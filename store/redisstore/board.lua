#!lua flags=allow-oom
-- Counts deliveries into a day's board, each once, however often it is announced. Without a board there is nothing to keep up to date: whoever
-- wants one fills it from the truth.
--
-- KEYS  1 board   2 scores   3 counted deliveries
-- ARGV  1 epoch under which they were delivered   2 fence of who fills the board, '' for an announcement
--       3 '1' when with these it is filled, else ''
--       4… of each delivery: its id in 16 bytes, its courier's id, and '0' when no time was promised, '1' when it was missed, '2' when it was kept
-- Returns how many were new; -1 when there is no board, or it is another filler's; -2 when it is of another epoch. Of a lower one than the
-- deliveries': then it is gone.

local meta = redis.call('HMGET', KEYS[2], 'fence', 'epoch', 'until')
if not meta[1] or ARGV[2] ~= '' and meta[1] ~= ARGV[2] then return -1 end
local epoch, theirs = tonumber(meta[2]), tonumber(ARGV[1])
if epoch == 0 then
  redis.call('HSET', KEYS[2], 'epoch', ARGV[1])
elseif theirs ~= epoch then
  if theirs > epoch then redis.call('DEL', KEYS[1], KEYS[2], KEYS[3]) end
  return -2
end

local new = 0
for i = 4, #ARGV, 3 do
  if redis.call('SADD', KEYS[3], ARGV[i]) == 1 then
    new = new + 1
    local kept = redis.call('HGET', KEYS[2], ARGV[i + 1]) or '0,0,0'
    local delivered, promised, on_time = string.match(kept, '(%d+),(%d+),(%d+)')
    delivered = delivered + 1
    if ARGV[i + 2] ~= '0' then promised = promised + 1 end
    if ARGV[i + 2] == '2' then on_time = on_time + 1 end
    redis.call('HSET', KEYS[2], ARGV[i + 1], string.format('%d,%d,%d', delivered, promised, on_time))
    -- Half the share decides between those who have delivered as much, and between nobody else.
    local share = 0
    if tonumber(promised) > 0 then share = on_time / promised / 2 end
    redis.call('ZADD', KEYS[1], delivered + share, ARGV[i + 1])
  end
end
if new > 0 then
  redis.call('HINCRBY', KEYS[2], 'count', new)
  redis.call('EXPIREAT', KEYS[1], meta[3])
  redis.call('EXPIREAT', KEYS[3], meta[3])
end
if ARGV[3] == '1' then redis.call('HSET', KEYS[2], 'full', '1') end
return new
