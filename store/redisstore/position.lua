-- Takes one courier's batch: checks duty, keeps the newest fix if it is newer, appends to the backlog, and tells viewers last.
--
-- KEYS  1 courier hash, and the courier's channel   2 backlog stream   3 geo set   4 session hash   5 the stream's byte counter
-- ARGV  1 newest fix in wire form, or ''    2 batch in wire form, or '' when it is stored elsewhere
--       3 its seqs as 'first-last,…', or '' 4 how far the session has come in Postgres with this batch, '' when it is not there yet
--       5 fleet channel                     6 fleet prefix, which ends in the courier's id as 16 bytes
--       7 epoch, 0 when it is not known     8 limit of the stream in bytes   9 the time, Unix ms, up to which nothing in it may date
--       10 time to live in seconds          11 run of the server, '' when it is not known or what is left of another one must do
--       12 the command that publishes: 'PUBLISH', or 'SPUBLISH' on a cluster
-- Returns '+' and live u8, watched u8, since i64, durable i64, big-endian, and the seqs known before as 'first-last,…'
--       live     1 when the fix moved the marker       since  its time before, Unix ms, 0 for none
--       watched  1 when a subscriber was told          durable  the session's durable seq before
--   or 'off_shift', 'full' or 'old' for a backlog at its limit, or what must be loaded first, since it is missing, of a lower epoch or left of
--   another run: 'courier', 'session'

local call = redis.call
local fix, batch, seqs, mark, epoch, ttl, run = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[7], ARGV[10], ARGV[11]

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

local courier = call('HMGET', KEYS[1], 'duty', 'pos', 'epoch', 'run', 'posrun')
if not courier[1] or outdated(courier[3], courier[4]) then return 'courier' end
if courier[1] ~= '1' then return 'off_shift' end

local known, durable = '', '0'
if seqs ~= '' then
  local session = call('HMGET', KEYS[4], 'durable', 'seqs', 'epoch', 'run')
  if not session[1] or outdated(session[3], session[4]) then return 'session' end
  durable, known = session[1], session[2] or ''
  -- A mark of a lower epoch may not have happened.
  if mark ~= '' and epoch ~= '0' and session[3] and tonumber(session[3]) > tonumber(epoch) then mark = '0' end
end

if batch ~= '' then
  local bytes = call('INCRBY', KEYS[5], #batch) - #batch
  local refusal
  if bytes >= tonumber(ARGV[8]) then
    refusal = 'full'
  -- What is under way is no backlog: 256 batches have more than 16 KB.
  elseif bytes > 16384 and call('XRANGE', KEYS[2], '-', ARGV[9], 'COUNT', 1)[1] and call('XLEN', KEYS[2]) > 256 then
    refusal = 'old'
  end
  if refusal then
    call('DECRBY', KEYS[5], #batch)
    return refusal
  end
  call('XADD', KEYS[2], '*', 'b', batch)
end

local since, lat0, lon0 = 0
if courier[2] then since, lat0, lon0 = struct.unpack('>i8dd', courier[2], 3) end
local at, lat, lon = since
if fix ~= '' then at, lat, lon = struct.unpack('>i8dd', fix, 3) end
-- Times to live are renewed once an hour, by the marker's own clock, and not with each report; they are a day's.
local renew = since == 0 or math.floor(at / 3600000) ~= math.floor(since / 3600000)

if seqs ~= '' then
  if mark ~= '' and tonumber(mark) > tonumber(durable) then
    call('HSET', KEYS[4], 'seqs', merge(known, seqs), 'durable', mark)
  else
    call('HSET', KEYS[4], 'seqs', merge(known, seqs))
  end
  if renew or fix == '' then call('EXPIRE', KEYS[4], ttl) end
end

local live, watched = 0, 0
if fix ~= '' and at > since then
  -- The pace: distance over time, smoothed over a minute. Its twin in Go is tracking.SmoothPace.
  local pace = -1
  if lat0 then
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
  if courier[5] == run then
    call('HSET', KEYS[1], 'pos', newest)
  else
    call('HSET', KEYS[1], 'pos', newest, 'posrun', run)
  end
  -- "Near" is asked for in hundreds of metres: a courier's place in it changes with their cell of 1/4000 degree, 28 m, and not with each step.
  if renew or math.floor(lat * 4000) ~= math.floor(lat0 * 4000) or math.floor(lon * 4000) ~= math.floor(lon0 * 4000) then
    local new = call('GEOADD', KEYS[3], lon, math.max(-85, math.min(85, lat)), string.sub(KEYS[1], -36))
    -- A set that was empty is new, and lives for ever unless it is told.
    if renew or new == 1 then call('EXPIRE', KEYS[3], ttl) end
  end
  if renew then call('EXPIRE', KEYS[1], ttl) end
  live = 1
  if call(ARGV[12], KEYS[1], newest) > 0 then watched = 1 end
  call(ARGV[12], ARGV[5], ARGV[6] .. newest)
end
return '+' .. struct.pack('>BBi8i8', live, watched, since, tonumber(durable)) .. known
