-- Takes back the placeholder of a fill that found nothing to keep, if it is still its owner's, and with it what is kept of a delivery that does not exist.
--
-- KEYS  1 delivery hash   2 placeholder
-- ARGV  1 owner           2 '1' when the truth has no such delivery, else '0'
-- Returns 1 when the placeholder was the owner's, else 0

-- Should the delivery have been created meanwhile, it is read again: a miss costs a read and hides nothing.
if ARGV[2] == '1' then redis.call('DEL', KEYS[1]) end
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[2])
