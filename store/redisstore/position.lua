-- Takes one courier's batch: checks duty, judges its fixes by where the courier was, keeps the newest that is believed if it is newer, appends to the
-- backlog, and tells viewers last.
--
-- KEYS  1 courier hash, and the courier's channel   2 backlog stream   3 geo set   4 session hash   5 the stream's byte counter
-- ARGV  1 batch in wire form, its fixes by ascending time
--       2 the time, Unix ms, before which nothing moves the marker
--       3 its seqs as 'first-last,…', or '' 4 how far the session has come in Postgres with this batch, '' when it is not there yet
--       5 fleet channel                     6 fleet prefix, which ends in the courier's id as 16 bytes
--       7 epoch, 0 when it is not known     8 limit of the stream in bytes, '' when the batch is stored elsewhere and does not go there
--       9 the time, Unix ms, up to which nothing in the stream may date
--       10 time to live in seconds          11 run of the server, '' when it is not known or what is left of another one must do
--       12 the command that publishes: 'PUBLISH', or 'SPUBLISH' on a cluster
--       13 '1' when nothing in the batch is under suspicion: each fix agrees with the one before
--       14 how fast a courier may be, m/s
-- Returns '+' and moved u16, watched u8, since i64, durable i64, rejudged u16 and as many indexes u16, big-endian, and the seqs known before as
-- 'first-last,…'
--       moved    the fix that moved the marker, from 1; 0 for none      since  the marker's time before, Unix ms, 0 for none
--       watched  1 when a subscriber was told          durable  the session's durable seq before
--       rejudged fixes, from 0, that were under suspicion of a teleport and are not, or the other way round
--   or 'off_shift', 'full' or 'old' for a backlog at its limit, or what must be loaded first, since it is missing, of a lower epoch or left of
--   another run: 'courier', 'session'

local call, unpack, byte, abs = redis.call, struct.unpack, string.byte, math.abs
local batch, seqs, mark, epoch, ttl, run = ARGV[1], ARGV[3], ARGV[4], ARGV[7], ARGV[10], ARGV[11]
local fresh, elsewhere, speed = tonumber(ARGV[2]), ARGV[8] == '', tonumber(ARGV[14])

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

-- What judging needs of a position in wire form whose flags stand at a byte of s: time, place, accuracy.
local function sighting(s, flags)
  local at, lat, lon, accuracy = unpack('>i8ddf', s, flags + 1)
  if byte(s, flags) % 2 == 0 then accuracy = 50 end
  return at, lat, lon, accuracy
end

-- The distance in metres on a map that is flat between the two. Its twin in Go is tracking.apartM.
local function apart(lat1, lon1, lat2, lon2)
  local x, y = abs(lon2 - lon1), lat2 - lat1
  if x > 180 then x = 360 - x end
  x = x * math.cos(math.rad((lat1 + lat2) / 2))
  return math.rad(math.sqrt(x * x + y * y)) * 6371008.8
end

local function reaches(metres, at1, accuracy1, at2, accuracy2)
  return metres <= speed * (at2 - at1) / 1000 + 3 * (accuracy1 + accuracy2)
end

local courier = call('HMGET', KEYS[1], 'duty', 'pos', 'epoch', 'run', 'posrun', 'doubt')
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

local since, lat0, lon0, accuracy0 = 0
if courier[2] then since, lat0, lon0, accuracy0 = sighting(courier[2], 2) end

-- The fixes stand behind version, courier, time of receipt, the session and their number; each is its seq and its position. Here each is known by where
-- its flags stand: 54 bytes behind those of the fix before it.
local before = byte(batch, 26) - 16
local fixes = unpack('>H', batch, before + 43)

local newest, at, lat, lon, metres = 0
local doubt, rejudged
local smooth = false
if ARGV[13] == '1' and fixes > 0 then
  -- When the first is believed so are those that agree with it, and the last is the newest.
  local accuracy
  at, lat, lon, accuracy = sighting(batch, before + 54)
  if lat0 then metres = apart(lat0, lon0, lat, lon) end
  smooth = at > since and (not lat0 or reaches(metres, since, accuracy0, at, accuracy))
end
if smooth then
  if fixes > 1 then
    metres, at, lat, lon = nil, unpack('>i8dd', batch, before + 54 * fixes + 1)
  end
  if at >= fresh then
    newest = fixes
    if courier[6] and courier[6] ~= '' then doubt = '' end
  end
else
  -- tracking.Plausibility.JudgeAll, in Lua: the fix that is believed, and the doubted one with how many agree up to it. What is under suspicion for what
  -- it says of itself is left out, and so is what is stored as suspect already.
  local judged = elsewhere and 32 or 64
  local bAt, bLat, bLon, bAccuracy = since, lat0, lon0, accuracy0
  local agree, dAt, dLat, dLon, dAccuracy = 0
  if courier[6] and courier[6] ~= '' then agree, dAt, dLat, dLon, dAccuracy = unpack('>Bi8ddf', courier[6]) end
  local pieces, from, indexes = {}, 1, {}
  metres = nil
  for fix = 1, fixes do
    local flagsAt = before + 54 * fix
    local flags = byte(batch, flagsAt)
    local fAt, fLat, fLon, fAccuracy = sighting(batch, flagsAt)
    if flags < judged and fAt > since then
      local suspect = flags >= 32
      local believed = not bLat or reaches(apart(bLat, bLon, fLat, fLon), bAt, bAccuracy, fAt, fAccuracy)
      local counts = true
      if not believed then
        if agree > 0 and fAt - dAt < 1000 then
          counts = false
        elseif agree > 0 and fAt - dAt <= 120000 and reaches(apart(dLat, dLon, fLat, fLon), dAt, dAccuracy, fAt, fAccuracy) then
          believed, agree = agree == 2, agree + 1
        else
          agree = 1
        end
      end
      if believed then
        bAt, bLat, bLon, bAccuracy, agree = fAt, fLat, fLon, fAccuracy, 0
        if fAt >= fresh then newest, at, lat, lon, doubt = fix, fAt, fLat, fLon, '' end
      elseif counts then
        dAt, dLat, dLon, dAccuracy = fAt, fLat, fLon, fAccuracy
        if fAt >= fresh then doubt = struct.pack('>Bi8ddf', agree, fAt, fLat, fLon, fAccuracy) end
      end
      if believed == suspect and not elsewhere then
        indexes[#indexes + 1] = struct.pack('>H', fix - 1)
        pieces[#pieces + 1] = string.sub(batch, from, flagsAt - 1)
        pieces[#pieces + 1] = string.char(flags % 32 + (believed and 0 or 32))
        from = flagsAt + 1
      end
    end
  end
  if from > 1 then
    pieces[#pieces + 1] = string.sub(batch, from)
    batch, rejudged = table.concat(pieces), indexes
  end
  if doubt == (courier[6] or '') then doubt = nil end
end

if not elsewhere then
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

-- Times to live are renewed once an hour, by the marker's own clock, and not with each report; they are a day's.
local renew = since == 0 or newest > 0 and math.floor(at / 3600000) ~= math.floor(since / 3600000)

if seqs ~= '' then
  if mark ~= '' and tonumber(mark) > tonumber(durable) then
    call('HSET', KEYS[4], 'seqs', merge(known, seqs), 'durable', mark)
  else
    call('HSET', KEYS[4], 'seqs', merge(known, seqs))
  end
  if renew or newest == 0 then call('EXPIRE', KEYS[4], ttl) end
end

local watched = 0
if newest > 0 then
  -- The pace: distance over time, smoothed over a minute. Its twin in Go is tracking.SmoothPace.
  local pace = -1
  if lat0 then
    pace = unpack('>f', courier[2], 47)
    local dt = (at - since) / 1000
    if dt >= 0.5 and dt <= 120 then
      local v = (metres or apart(lat0, lon0, lat, lon)) / dt
      if v <= 70 then
        if pace < 0 then pace = v else pace = pace + (1 - math.exp(-dt / 60)) * (v - pace) end
      end
    end
  end
  local flagsAt = before + 54 * newest
  local position = string.sub(batch, flagsAt - 1, flagsAt + 44) .. struct.pack('>f', pace)
  if courier[5] == run then
    call('HSET', KEYS[1], 'pos', position)
  else
    call('HSET', KEYS[1], 'pos', position, 'posrun', run)
  end
  -- "Near" is asked for in hundreds of metres: a courier's place in it changes with their cell of 1/4000 degree, 28 m, and not with each step.
  if renew or math.floor(lat * 4000) ~= math.floor(lat0 * 4000) or math.floor(lon * 4000) ~= math.floor(lon0 * 4000) then
    local new = call('GEOADD', KEYS[3], lon, math.max(-85, math.min(85, lat)), string.sub(KEYS[1], -36))
    -- A set that was empty is new, and lives for ever unless it is told.
    if renew or new == 1 then call('EXPIRE', KEYS[3], ttl) end
  end
  if renew then call('EXPIRE', KEYS[1], ttl) end
  if call(ARGV[12], KEYS[1], position) > 0 then watched = 1 end
  call(ARGV[12], ARGV[5], ARGV[6] .. position)
end
if doubt then call('HSET', KEYS[1], 'doubt', doubt) end
local answer = '+' .. struct.pack('>HBi8i8H', newest, watched, since, tonumber(durable), rejudged and #rejudged or 0)
if rejudged then answer = answer .. table.concat(rejudged) end
return answer .. known
