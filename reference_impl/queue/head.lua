-- XRANGE from the head, by hundreds until there are enough entries or bytes, as one MessagePack reply: redis-py's parser
-- would take longer than everything else together. Returns at least one entry, however large.
-- KEYS[1] is the lane's stream, ARGV[1] the most entries and ARGV[2] the most bytes.
if not string.find(redis.call('INFO', 'replication'), 'role:master', 1, true) then
  return redis.error_reply('READONLY the server is a replica')
end
local found, bytes, after, count = {}, 0, '-', tonumber(ARGV[1])
while #found < count do
  local some = redis.call('XRANGE', KEYS[1], after, '+', 'COUNT', math.min(100, count - #found))
  for _, entry in ipairs(some) do
    for _, part in ipairs(entry[2]) do bytes = bytes + #part end
    if bytes > tonumber(ARGV[2]) and #found > 0 then return cmsgpack.pack(found) end
    found[#found + 1] = entry
  end
  if #some == 0 then break end
  after = '(' .. some[#some][1]
end
return cmsgpack.pack(found)
