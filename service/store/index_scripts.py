"""What the store does in one step for the index that replicas share, as Lua.

Its keys behind the prefix and its name, none of which may be evicted, so that most have no time to live; they
need not lie in one slot, for no cluster is supported:

writer    the lease to write, with its owner's token
index     a hash: the epoch, the number of the last record, the first one that is left, the bytes of all, and
          the `run_id` of the server that they were written at
log       a stream: an entry has the records up to its number, `N-0`, and the epoch
progress  a stream with one entry, the writer's newest word
wishes    a stream of what replicas ask of the writer
snapshot  a hash: epoch, number, bytes, digest, token and how many chunks; those are keys of their own,
          snapshot:TOKEN:0 and so on

Besides, `indexes` behind the prefix alone is a sorted set of all names, by when a replica last used each: one
that nobody needs any more, as that of an older release, goes some time after that.

A server that came up with old data, or took the place of another one, has another `run_id`. Records may be
lost then, so that what it has is not the log any more.
"""

from typing import Final

_LOG: Final = """
local here = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local index = redis.call('HMGET', KEYS[2], 'epoch', 'last', 'first', 'bytes', 'run')
local epoch, last = index[1] or '', tonumber(index[2])
if not last or last < 0 or last % 1 ~= 0 or index[5] ~= here then epoch, last = '', 0 end
"""

# The chunks of the snapshot that is there: their keys, 4 GB of them at most.
_CHUNKS: Final = """
local function chunks_of(name)
  local kept = redis.call('HMGET', name, 'token', 'chunks')
  local keys = {}
  for i = 0, kept[1] and math.min(tonumber(kept[2]) or 0, 4096) - 1 or -1 do
    keys[#keys + 1] = name .. ':' .. kept[1] .. ':' .. i
  end
  return keys
end
"""

# ARGV of each that is fenced: the owner's token, then the epoch.
_FENCE: Final = (
    _LOG
    + """
if redis.call('GET', KEYS[1]) ~= ARGV[1] or epoch ~= ARGV[2] or epoch == '' then return false end
"""
)

# Notes that this index is in use; that which has not been for longest goes, if that is too long.
_USED: Final = """
local prefix, now = string.match(KEYS[5], '^(.*:)'), tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[5], now, ARGV[3])
local oldest = redis.call('ZREVRANGE', KEYS[5], -1, -1, 'WITHSCORES')
if tonumber(oldest[2]) < now - ARGV[4] then
  local base = prefix .. oldest[1] .. ':'
  local keys = chunks_of(base .. 'snapshot')
  for _, name in ipairs({'index', 'log', 'progress', 'snapshot'}) do keys[#keys + 1] = base .. name end
  for i = 1, #keys do redis.call('PEXPIRE', keys[i], 1000) end
  redis.call('ZREM', KEYS[5], oldest[1])
end
"""

# KEYS: writer, index, snapshot, log, indexes. ARGV: the owner's token, the lease in ms, the name of this
# index, for how many seconds one stays that nobody uses. {epoch, last, the snapshot's number or -1, 1 for the
# writer}. With records behind the last one, which somebody else wrote, it is no log.
LEAD: Final = (
    _LOG
    + _CHUNKS
    + _USED
    + """
local after = string.format('%.0f-0', last + 1)
if #redis.call('XRANGE', KEYS[4], after, '+', 'COUNT', 1) > 0 then epoch, last = '', 0 end
local is_writer = 0
if redis.call('GET', KEYS[1]) == ARGV[1] then
  is_writer = redis.call('PEXPIRE', KEYS[1], ARGV[2])
elseif redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then
  is_writer = 1
end
local kept = redis.call('HMGET', KEYS[3], 'epoch', 'number')
local number, chunks = tonumber(kept[2]) or -1, chunks_of(KEYS[3])
if epoch == '' or kept[1] ~= epoch or #chunks == 0 then number = -1 end
for i = 1, #chunks do
  if redis.call('EXISTS', chunks[i]) == 0 then number = -1 end
end
return {epoch, last, number, is_writer}
"""
)

# KEYS: writer. ARGV: the owner's token.
RESIGN: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""

# KEYS: writer, index, log, progress, snapshot. ARGV: the owner's token, the new epoch, and for how many ms
# the chunks of the snapshot are kept for who reads them. 1, or nothing where another replica has the lease.
# What another service keeps under a name of ours is an error, and stays.
BEGIN: Final = (
    _CHUNKS
    + """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local here = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
redis.call('XLEN', KEYS[3])
local chunks = chunks_of(KEYS[5])
redis.call('XADD', KEYS[4], 'MAXLEN', 1, '*', 'e', ARGV[2])
redis.call('HSET', KEYS[2], 'epoch', ARGV[2], 'last', 0, 'first', 1, 'bytes', 0, 'run', here)
redis.call('DEL', KEYS[3], KEYS[5])
for i = 1, #chunks do redis.call('PEXPIRE', chunks[i], ARGV[3]) end
return 1
"""
)

# KEYS: writer, index, log. ARGV: token, epoch, the number of the last record, the most records and the most
# bytes of the log, then for each entry how many records it has, and those. The new last number.
PUBLISH: Final = (
    _FENCE
    + """
if last ~= tonumber(ARGV[3]) then return false end
local bytes, first = tonumber(index[4]) or 0, tonumber(index[3]) or last + 1
for i = 6, #ARGV, 2 do
  last = last + ARGV[i]
  redis.call('XADD', KEYS[3], string.format('%.0f-0', last), 'e', epoch, 'd', ARGV[i + 1])
  bytes = bytes + #ARGV[i + 1]
end
local function keep() redis.call('HSET', KEYS[2], 'last', string.format('%.0f', last),
  'first', string.format('%.0f', first), 'bytes', string.format('%.0f', bytes)) end
keep()
while last - first >= tonumber(ARGV[4]) or bytes > tonumber(ARGV[5]) do
  local oldest = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)[1]
  local number = oldest and tonumber(string.match(oldest[1], '^(%d+)-')) or last
  if number >= last or (last - number < tonumber(ARGV[4]) and bytes <= tonumber(ARGV[5])) then break end
  redis.call('XTRIM', KEYS[3], 'MINID', string.format('%.0f', number + 1))
  first, bytes = number + 1, bytes - #(oldest[2][4] or '')
end
keep()
return last
"""
)

# KEYS: writer, index, progress. ARGV: token, epoch, the word. 1.
TELL: Final = (
    _FENCE
    + """
redis.call('XADD', KEYS[3], 'MAXLEN', 1, '*', 'e', epoch, 'd', ARGV[3])
return 1
"""
)

# KEYS: wishes. ARGV: the wish, the most of them, and for how many ms the last one is kept.
WISH: Final = """
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[2], '*', 'd', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
"""

# KEYS: writer, index, the chunk. ARGV: token, epoch, the data, for how many ms they are kept. 1.
PUT_CHUNK: Final = (
    _FENCE
    + """
redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[4])
return 1
"""
)

# KEYS: writer, index, snapshot. ARGV: token, epoch, number, the snapshot's token, bytes, digest, chunks, and
# for how many ms the chunks of the one before are kept for who reads them. 1; 0 where a chunk is gone.
PUT_SNAPSHOT: Final = (
    _FENCE
    + _CHUNKS
    + """
if tonumber(ARGV[3]) > last then return false end
local before, name = chunks_of(KEYS[3]), KEYS[3] .. ':' .. ARGV[4] .. ':'
for i = 0, ARGV[7] - 1 do
  if redis.call('EXISTS', name .. i) == 0 then return 0 end
end
redis.call('HSET', KEYS[3], 'epoch', epoch, 'number', ARGV[3], 'token', ARGV[4], 'bytes', ARGV[5],
  'digest', ARGV[6], 'chunks', ARGV[7])
for i = 0, ARGV[7] - 1 do redis.call('PERSIST', name .. i) end
for i = 1, #before do redis.call('PEXPIRE', before[i], ARGV[8]) end
return 1
"""
)

# KEYS: snapshot. ARGV: the token of a snapshot that is damaged.
DROP_SNAPSHOT: Final = (
    _CHUNKS
    + """
if redis.call('HGET', KEYS[1], 'token') == ARGV[1] then
  local chunks = chunks_of(KEYS[1])
  redis.call('DEL', KEYS[1])
  for i = 1, #chunks do redis.call('DEL', chunks[i]) end
end
"""
)
