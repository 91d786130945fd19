-- Takes one courier's batch: checks duty, keeps the newest fix if it is newer, appends to the backlog, and tells viewers last.
--
-- KEYS  1 courier hash   2 backlog stream   3 geo set   4 session hash   5 the stream's byte counter
-- ARGV  1 newest fix in wire form, or ''    2 batch in wire form, or '' when it is stored elsewhere
--       3 its seqs as 'first-last,…', or '' 4 courier channel   5 fleet channel   6 fleet prefix   7 courier id
--       8 epoch, 0 when it is not known     9 limit of the stream in bytes   10 the time, Unix ms, up to which nothing in it may date
--       11 time to live in seconds            12 run of the server, '' when it is not known or what is left of another one must do
-- Returns {state, live, since, watched, known, durable}
--       state    'ok', 'off_shift', 'full' or 'old' for a backlog at its limit, or what must be loaded first, since it is missing, of a
--                lower epoch or left of another run: 'courier', 'session'
--       live     1 when the fix moved the marker       since  its time before, Unix ms, 0 for none
--       watched  how many subscribers were told        known, durable  the session's seqs before, and its durable seq

local fix, batch, seqs, epoch, ttl, run = ARGV[1], ARGV[2], ARGV[3], ARGV[8], ARGV[11], ARGV[12]

local function outdated(kept, keptRun)
  return run ~= '' and keptRun ~= run or epoch ~= '0' and kept ~= epoch and tonumber(kept or '0') < tonumber(epoch)
end

-- Runs of seqs, merged. The lowest are forgotten beyond 64 runs: a phone with that many holes hears 'late' for a duplicate.
local function merge(known, seqs)
  -- Mostly a phone goes on where it stopped, and the last run grows.
  local before, last = string.match(known, '^(.*%-)(%d+)$')
  local first, new = string.match(seqs, '^(%d+)%-(%d+)$')
  if last and first and tonumber(first) == tonumber(last) + 1 then return before .. new end

  local runs = {}
  for first, last in string.gmatch(known .. ',' .. seqs, '(%d+)-(%d+)') do
    runs[#runs + 1] = {tonumber(first), tonumber(last)}
  end
  table.sort(runs, function(a, b) return a[1] < b[1] end)
  local merged = {runs[1]}
  for i = 2, #runs do
    local top = merged[#merged]
    if runs[i][1] <= top[2] + 1 then
      top[2] = math.max(top[2], runs[i][2])
    else
      merged[#merged + 1] = runs[i]
    end
  end
  local out = {}
  for i = math.max(1, #merged - 63), #merged do
    out[#out + 1] = string.format('%.0f-%.0f', merged[i][1], merged[i][2])
  end
  return table.concat(out, ',')
end

local courier = redis.call('HMGET', KEYS[1], 'duty', 'pos', 'epoch', 'run')
if not courier[1] or outdated(courier[3], courier[4]) then return {'courier'} end
if courier[1] ~= '1' then return {'off_shift'} end

local known, durable = '', '0'
if seqs ~= '' then
  local session = redis.call('HMGET', KEYS[4], 'seqs', 'durable', 'epoch', 'run')
  if not session[2] or outdated(session[3], session[4]) then return {'session'} end
  known, durable = session[1] or '', session[2]
end

if batch ~= '' then
  local bytes = tonumber(redis.call('GET', KEYS[5]) or '0')
  if bytes >= tonumber(ARGV[9]) then return {'full'} end
  -- What is under way is no backlog: 256 batches have more than 16 KB.
  if bytes > 16384 and redis.call('XLEN', KEYS[2]) > 256 and redis.call('XRANGE', KEYS[2], '-', ARGV[10], 'COUNT', 1)[1] then
    return {'old'}
  end
  redis.call('XADD', KEYS[2], '*', 'b', batch)
  redis.call('INCRBY', KEYS[5], #batch)
end

if seqs ~= '' then
  redis.call('HSET', KEYS[4], 'seqs', merge(known, seqs))
  redis.call('EXPIRE', KEYS[4], ttl)
end

local live, since, watched = 0, 0, 0
if courier[2] then since = struct.unpack('>i8', courier[2], 3) end
if fix ~= '' then
  local at, lat, lon = struct.unpack('>i8dd', fix, 3)
  if at > since then
    -- The pace: distance over time, smoothed over a minute. Its twin in Go is tracking.SmoothPace.
    local pace = -1
    if courier[2] then
      local _, lat0, lon0 = struct.unpack('>i8dd', courier[2], 3)
      pace = struct.unpack('>f', courier[2], 47)
      local dt = (at - since) / 1000
      if dt >= 0.5 and dt <= 120 then
        local x = (lon - lon0) * math.cos(math.rad((lat + lat0) / 2))
        local v = math.rad(math.sqrt(x * x + (lat - lat0) * (lat - lat0))) * 6371008.8 / dt
        if v <= 70 then
          if pace < 0 then pace = v else pace = pace + (1 - math.exp(-dt / 60)) * (v - pace) end
        end
      end
    end
    local newest = fix .. struct.pack('>f', pace)
    redis.call('HSET', KEYS[1], 'pos', newest, 'posrun', run)
    redis.call('EXPIRE', KEYS[1], ttl)
    redis.call('GEOADD', KEYS[3], lon, math.max(-85, math.min(85, lat)), ARGV[7])
    redis.call('EXPIRE', KEYS[3], ttl)
    live = 1
    watched = redis.call('PUBLISH', ARGV[4], newest)
    redis.call('PUBLISH', ARGV[5], ARGV[6] .. newest)
  end
end
return {'ok', live, since, watched, known, durable}
