"""What the store does in one step, as Lua (https://valkey.io/topics/eval-intro/).

Times are whole microseconds of the store's clock; a Lua number holds them exactly. Data begin with a head: a
mark, when they were asked for and arrived, up to when they are fresh and renewable, and their version. A
value without that mark, or from the future, is nobody's: it counts as nothing, and is written over. So is a
key of another type, which is why reads are protected calls. A lease is the moment of its claim, or FAILED
while MLflow is left alone after a failure.
"""

from typing import Final

MARK: Final = "xt1\n"
HEAD: Final = len(MARK) + 5 * 8
FAILED: Final = "failed"

_READING: Final = f"""
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]

local function text(command, ...)
  local found = redis.pcall(command, ...)
  if type(found) == 'string' then return found end
end

local function head_of(key)
  local head = text('GETRANGE', key, 0, {HEAD - 1})
  if not head or #head < {HEAD} or string.sub(head, 1, {len(MARK)}) ~= 'xt1\\n' then return nil end
  local asked, arrived, fresh, renewable, version = struct.unpack('>I8I8I8I8I8', head, {len(MARK) + 1})
  if arrived > now + 1000000 then return nil end
  return {{asked = asked, arrived = arrived, fresh = fresh, renewable = renewable, version = version}}
end

local function body_of(key, head, known, most)
  if head.version == known then return false end
  if redis.call('STRLEN', key) > most + {HEAD} then return '' end
  return redis.call('GETRANGE', key, {HEAD}, -1)
end
"""

_TELLING: Final = """
local function tell(log, names, kept, sender)
  if #names == 0 then return end
  local oldest = string.format('%.0f', redis.call('TIME')[1] * 1000 - kept)
  redis.pcall('XADD', log, 'MINID', '~', oldest, '*', 'k', table.concat(names), 's', sender)
  redis.pcall('PEXPIRE', log, kept)
end
"""

# KEYS: of each its data, its lease and its groups. ARGV: the lease in ms, the most bytes of a body, then of
# each: the known version, since when in us, 1 if anew, 1 if a stale one will do, how many groups it has.
# Of each: {state, now, ms to wait, asked, arrived, version, body, names in the groups}; version 0: nothing.
# state: 0 stored, 1 a lease, 2 wait, 3 MLflow has failed.
CLAIM: Final = (
    _READING
    + f"""
local replies, place = {{}}, 1
for at = 2, #ARGV - 5, 5 do
  local data, lease, groups = KEYS[place], KEYS[place + 1], tonumber(ARGV[at + 5])
  local known, since = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local is_anew, stale_will_do = ARGV[at + 3] == '1', ARGV[at + 4] == '1'
  local head = head_of(data)
  local is_good
  if head and is_anew then
    is_good = since > 0 and head.asked >= since
  elseif head then
    is_good = now < head.fresh or (stale_will_do and now < head.renewable)
      or (since > 0 and head.arrived >= since)
  end
  local reply = {{0, now, 0, 0, 0, 0, false, {{}}}}
  if head and (is_good or not is_anew) then
    reply[4], reply[5], reply[6] = head.asked, head.arrived, head.version
    reply[7] = body_of(data, head, known, tonumber(ARGV[2]))
  end
  if not is_good then
    local holder, left = text('GET', lease), redis.call('PTTL', lease)
    if holder and left > 0 then
      reply[1], reply[3] = (holder == '{FAILED}') and 3 or 2, left
    else
      redis.call('SET', lease, string.format('%.0f', now), 'PX', ARGV[1])
      reply[1] = 1
      for i = 1, groups do
        local names = redis.pcall('ZREVRANGE', KEYS[place + 1 + i], 0, -1)
        for _, name in ipairs(names) do table.insert(reply[8], name) end
      end
    end
  end
  replies[#replies + 1] = reply
  place = place + 2 + groups
end
return replies
"""
)

# KEYS: of each its data. ARGV: the most bytes of a body, then the known version of each.
# Of each: {asked, arrived, version, body}; version 0: nothing.
READ: Final = (
    _READING
    + """
local replies = {}
for i = 1, #KEYS do
  local head = head_of(KEYS[i])
  replies[i] = {0, 0, 0, false}
  if head then
    local body = body_of(KEYS[i], head, tonumber(ARGV[i + 1]), tonumber(ARGV[1]))
    replies[i] = {head.asked, head.arrived, head.version, body}
  end
end
return replies
"""
)

# KEYS: the log, then of each its data, its lease and its group. ARGV: when they were asked for, the ms for
# which entries of the log are kept, who fills, the most names of a group, then of each: its short name in the
# log, its age, how long it is fresh, renewable and usable in us, the body, and its name in the group or ''.
# Of each its version; 0 where what is there arrived after this was asked for.
FILL: Final = (
    _READING
    + _TELLING
    + f"""
local asked, names, versions = tonumber(ARGV[1]), {{}}, {{}}
for i = 1, (#KEYS - 1) / 3 do
  local data, lease, group = KEYS[3 * i - 1], KEYS[3 * i], KEYS[3 * i + 1]
  local at = 4 + 7 * (i - 1)
  local arrived, usable, body, name = now - ARGV[at + 2], tonumber(ARGV[at + 5]), ARGV[at + 6], ARGV[at + 7]
  local old = head_of(data)
  local is_news = true
  if old and old.arrived > asked then
    versions[i], is_news = 0, false
  else
    local version = now
    if old then
      if text('GETRANGE', data, {HEAD}, -1) == body then
        version, is_news = old.version, false
      else
        version = math.max(now, old.version + 1)
      end
      arrived = math.max(arrived, old.arrived)
    end
    local fresh, renewable = arrived + ARGV[at + 3], arrived + ARGV[at + 4]
    local head = struct.pack('>I8I8I8I8I8', asked, arrived, fresh, renewable, version)
    redis.call('SET', data, 'xt1\\n' .. head .. body, 'PX', math.max(math.ceil(usable / 1000), 1000))
    versions[i] = version
    if name ~= '' then
      local lasts = math.max(math.ceil(usable / 1000), redis.call('PTTL', group), 1000)
      if type(redis.pcall('ZADD', group, arrived, name)) == 'table' then
        redis.call('DEL', group)
        redis.call('ZADD', group, arrived, name)
      end
      redis.call('ZREMRANGEBYRANK', group, 0, -1 - ARGV[4])
      redis.call('PEXPIRE', group, lasts)
    end
  end
  if text('GET', lease) == ARGV[1] then
    redis.call('DEL', lease)
    is_news = true
  end
  if is_news then names[#names + 1] = ARGV[at + 1] end
end
tell(KEYS[1], names, ARGV[2], ARGV[3])
return versions
"""
)

# KEYS: leases. ARGV: when they were claimed, the lease in ms.
EXTEND: Final = """
for i = 1, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
end
"""

# KEYS: the log, then leases. ARGV: when they were claimed, the ms for which entries of the log are kept, who
# gives up, the ms in which nobody asks MLflow, then each short name.
GIVE_UP: Final = (
    _TELLING
    + f"""
local names = {{}}
for i = 2, #KEYS do
  if redis.call('GET', KEYS[i]) == ARGV[1] then
    if tonumber(ARGV[4]) > 0 then
      redis.call('SET', KEYS[i], '{FAILED}', 'PX', ARGV[4])
    else
      redis.call('DEL', KEYS[i])
    end
    names[#names + 1] = ARGV[i + 3]
  end
end
tell(KEYS[1], names, ARGV[2], ARGV[3])
"""
)
