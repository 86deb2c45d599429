"""What the store does in one step, as Lua (https://redis.io/docs/latest/develop/programmability/).

Times are whole microseconds of the store's clock; a Lua number holds them exactly. Data begin with a head:
when they arrived, up to when they are fresh and renewable, and their version.

KEYS of each: the log first, where there is one, then for each question its data and its lease.
"""

from typing import Final

_NOW: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
"""

# ARGV: the lease in ms, 1 for answers that are asked for from now on, else 0, then the known version of
# each. Of each: {state, now, age, version, data}; state: 0 data, 1 a lease, 2 wait, with its ms as the age.
CLAIM: Final = (
    _NOW
    + """
local replies = {}
for i = 1, #KEYS, 2 do
  local known = tonumber(ARGV[2 + (i + 1) / 2])
  local head = redis.call('GETRANGE', KEYS[i], 0, 31)
  local reply = nil
  local arrived, fresh, renewable, version
  if #head == 32 then arrived, fresh, renewable, version = struct.unpack('>I8I8I8I8', head) end
  if arrived and ARGV[2] == '0' and (now < fresh or (known == 0 and now < renewable)) then
    local data = false
    if version ~= known then data = redis.call('GETRANGE', KEYS[i], 32, -1) end
    reply = {0, now, now - arrived, version, data}
  elseif ARGV[2] == '1' then
    redis.call('SET', KEYS[i + 1], string.format('%.0f', now), 'PX', ARGV[1])
    reply = {1, now, 0, 0, false}
  elseif redis.call('SET', KEYS[i + 1], string.format('%.0f', now), 'PX', ARGV[1], 'NX') then
    reply = {1, now, 0, 0, false}
    if arrived and known == 0 then
      reply = {1, now, now - arrived, version, redis.call('GETRANGE', KEYS[i], 32, -1)}
    end
  else
    reply = {2, now, redis.call('PTTL', KEYS[i + 1]), 0, false}
  end
  replies[#replies + 1] = reply
end
return replies
"""
)

# ARGV: the known version of each. Of each: {age, version, data}, or nothing.
READ: Final = (
    _NOW
    + """
local replies = {}
for i = 1, #KEYS do
  local head = redis.call('GETRANGE', KEYS[i], 0, 31)
  local reply = false
  if #head == 32 then
    local arrived, fresh, renewable, version = struct.unpack('>I8I8I8I8', head)
    local data = false
    if version ~= tonumber(ARGV[i]) then data = redis.call('GETRANGE', KEYS[i], 32, -1) end
    reply = {now - arrived, version, data}
  end
  replies[#replies + 1] = reply
end
return replies
"""
)

# KEYS: the log, then as above. ARGV: when it was asked for, the most entries of the log, then for each: its
# short name in the log, how long it is fresh, renewable and usable in us, and the data.
# The number of those that were refused, since what is there arrived after they had been asked for.
FILL: Final = (
    _NOW
    + """
local asked, refused, names = tonumber(ARGV[1]), 0, {}
for i = 2, #KEYS, 2 do
  local at = 3 + (i - 2) / 2 * 5
  local head = redis.call('GETRANGE', KEYS[i], 0, 31)
  local arrived, version, is_same = nil, now, false
  if #head == 32 then
    local _, __
    arrived, _, __, version = struct.unpack('>I8I8I8I8', head)
    is_same = redis.call('GETRANGE', KEYS[i], 32, -1) == ARGV[at + 4]
    if not is_same then version = math.max(now, version + 1) end
  end
  if arrived and arrived > asked then
    refused = refused + 1
  else
    local new = struct.pack('>I8I8I8I8', now, now + ARGV[at + 1], now + ARGV[at + 2], version)
    redis.call('SET', KEYS[i], new .. ARGV[at + 4], 'PX', math.ceil(ARGV[at + 3] / 1000))
  end
  if redis.call('GET', KEYS[i + 1]) == ARGV[1] then
    redis.call('DEL', KEYS[i + 1])
    is_same = false
  end
  if not is_same then names[#names + 1] = ARGV[at] end
end
if #names > 0 then redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'k', table.concat(names)) end
return refused
"""
)

# KEYS: leases. ARGV: when they were claimed, the lease in ms.
EXTEND: Final = """
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
end
"""

# KEYS: the log, then leases. ARGV: when they were claimed, the most entries of the log, then each short name.
GIVE_UP: Final = """
local names = {}
for i = 2, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then
    redis.call('DEL', KEYS[i])
    names[#names + 1] = ARGV[i + 1]
  end
end
if #names > 0 then redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'k', table.concat(names)) end
"""
