-- Sets the lane count unless a lane holds an event; returns the number of such a lane, else -1.
-- KEYS[1] is the lane count and KEYS[2] the highest earlier one; ARGV[1] is the count to set.
local most = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), tonumber(redis.call('GET', KEYS[2]) or 0))
for n = 0, most - 1 do
  if redis.call('XLEN', 'events:' .. n) > 0 then return n end
end
redis.call('MSET', KEYS[1], ARGV[1], KEYS[2], most)
return -1
