--[[
  transact: compare and set, in the manner of etcd's Txn. All of it, or nothing.

  If this server's clock has not passed the expiry, every key holds the type that it should, and every guard holds, carries
  out all steps, in order and with nothing in between, and answers what each came to. Else it changes nothing. It knows
  nothing of rooms or calls: what to compare and what to write comes from transaction.ts.

  Input
    KEYS      every key that guards and steps name
    ARGV[1]   expiry: milliseconds since the epoch; '' for never
    ARGV[2]   the type of each key, one letter each: h hash, z sorted set, s set, v string value
    ARGV[3]   how many guards there are
    ARGV[4…]  the guards, then the steps, each: its name, how many words follow, the words. The first word of a guard is
              its code. A key is written as its place in KEYS.

  Guards (code, …)
    exists    key                     the key is there
    missing   key                     the key is not there
    equals    key field value         the hash has this value in the field
    absent    key field               the hash does not have the field
    older     key field number        the hash has a lower number in the field, or does not have it
    scored    key member score        the sorted set has the member with this score
    below     limit key…              these keys have fewer entries than this, together
    exactly   size key…               these keys have just this many entries, together

  Steps
    append    key member              adds a member behind all others of the sorted set, unless it is in there
    newest    key field times name time value [listed score]
              writes the field of the hash, and lists it in the sorted set, unless the hash `times` has a later time under the
              name; without a value ('') removes it. Answers whether it did
    fill      key field times name time value [listed score]
              the same, only where the one hash does not have the field, nor the other the name
    raise     key field number        the hash has at least this number in the field
    forget    key listed              removes the members of the set `listed` from the sorted set
    entries   key hash from to        values of the hash, by the members of the sorted set from one rank to another
    page      key direction score member most
              members of the sorted set behind a position, which need not be in it ('' for from the start): the lowest first
              where direction is 'up', else the highest. Answers { the score of the last one, { member… } }
    unless    key field value field…  values of the further fields of the hash; none where it has this value in the first
    unlist    key hash field          removes the member that the hash names in the field from the sorted set
    else      key argument…           the Redis command of this name

  Output
    { 'done', result… }               what each step came to; nil where there is nothing
    { 'expired' }                     the time is over
    { code }                          the code of the first guard that does not hold
    error FOREIGN                     a key holds what is not ours
]]

-- Arguments of one call: Lua's stack takes 8,000.
local CHUNK = 1000
local TYPES = { h = 'hash', z = 'zset', s = 'set', v = 'string' }
local SIZES = { hash = 'HLEN', zset = 'ZCARD', set = 'SCARD' }

local function keyAt(index)
  return KEYS[tonumber(ARGV[index])]
end

local function typeAt(index)
  local place = tonumber(ARGV[index])
  return TYPES[ARGV[2]:sub(place, place)]
end

local function sizeOf(from, to)
  local size = 0
  for index = from, to do
    size = size + redis.call(SIZES[typeAt(index)], keyAt(index))
  end
  return size
end

local guards = {
  exists = function(from)
    return redis.call('EXISTS', keyAt(from)) == 1
  end,
  missing = function(from)
    return redis.call('EXISTS', keyAt(from)) == 0
  end,
  equals = function(from)
    return redis.call('HGET', keyAt(from), ARGV[from + 1]) == ARGV[from + 2]
  end,
  absent = function(from)
    return redis.call('HEXISTS', keyAt(from), ARGV[from + 1]) == 0
  end,
  older = function(from)
    local number = redis.call('HGET', keyAt(from), ARGV[from + 1])
    return number == false or tonumber(number) < tonumber(ARGV[from + 2])
  end,
  scored = function(from)
    local score = redis.call('ZSCORE', keyAt(from), ARGV[from + 1])
    return score ~= false and tonumber(score) == tonumber(ARGV[from + 2])
  end,
  below = function(from, to)
    return sizeOf(from + 1, to) < tonumber(ARGV[from])
  end,
  exactly = function(from, to)
    return sizeOf(from + 1, to) == tonumber(ARGV[from])
  end,
}

-- Compares bytes, as sorted sets do; Lua's own comparison goes by the locale.
local function isBehind(one, other)
  for index = 1, math.min(#one, #other) do
    local left, right = one:byte(index), other:byte(index)
    if left ~= right then
      return left > right
    end
  end
  return #one > #other
end

-- How many entries stand at or before this position.
local function countUpTo(key, direction, score, member)
  local isUp = direction == 'up'
  local count = isUp and redis.call('ZCOUNT', key, '-inf', '(' .. score)
    or redis.call('ZCOUNT', key, '(' .. score, '+inf')
  for _, tied in ipairs(redis.call('ZRANGEBYSCORE', key, score, score)) do
    local counts = tied == member
    if isUp then
      counts = counts or isBehind(member, tied)
    else
      counts = counts or isBehind(tied, member)
    end
    if counts then
      count = count + 1
    end
  end
  return count
end

-- What the steps `newest` and `fill` write.
local function put(from, to)
  local key, times = keyAt(from), keyAt(from + 2)
  local field, name, time, value = ARGV[from + 1], unpack(ARGV, from + 3, from + 5)
  local listed = to > from + 5 and keyAt(from + 6)
  redis.call('HSET', times, name, time)
  if value ~= '' then
    redis.call('HSET', key, field, value)
  else
    redis.call('HDEL', key, field)
  end
  if listed and value ~= '' then
    redis.call('ZADD', listed, 'NX', ARGV[from + 7], field)
  elseif listed then
    redis.call('ZREM', listed, field)
  end
  return 1
end

local steps = {
  newest = function(from, to)
    local time = redis.call('HGET', keyAt(from + 2), ARGV[from + 3])
    if time and tonumber(time) > tonumber(ARGV[from + 4]) then
      return 0
    end
    return put(from, to)
  end,
  fill = function(from, to)
    local isThere = redis.call('HEXISTS', keyAt(from), ARGV[from + 1]) == 1
    if isThere or redis.call('HEXISTS', keyAt(from + 2), ARGV[from + 3]) == 1 then
      return 0
    end
    return put(from, to)
  end,
  raise = function(from)
    local key, field, number = keyAt(from), ARGV[from + 1], ARGV[from + 2]
    local present = redis.call('HGET', key, field)
    if not present or tonumber(present) < tonumber(number) then
      redis.call('HSET', key, field, number)
    end
    return 1
  end,
  append = function(from)
    local key, member = keyAt(from), ARGV[from + 1]
    local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
    local score = last[2] and tonumber(last[2]) + 1 or 1
    return redis.call('ZADD', key, 'NX', string.format('%.0f', score), member)
  end,
  forget = function(from)
    local key = keyAt(from)
    local members = redis.call('SMEMBERS', keyAt(from + 1))
    for index = 1, #members, CHUNK do
      redis.call('ZREM', key, unpack(members, index, math.min(index + CHUNK - 1, #members)))
    end
    return #members
  end,
  entries = function(from)
    local members = redis.call('ZRANGE', keyAt(from), ARGV[from + 2], ARGV[from + 3])
    local found = {}
    for index = 1, #members, CHUNK do
      local values = redis.call('HMGET', keyAt(from + 1), unpack(members, index, math.min(index + CHUNK - 1, #members)))
      for _, value in ipairs(values) do
        found[#found + 1] = value
      end
    end
    return found
  end,
  page = function(from)
    local key, direction, score, member, most = keyAt(from), unpack(ARGV, from + 1, from + 4)
    local first = score == '' and 0 or countUpTo(key, direction, score, member)
    local range = direction == 'up' and 'ZRANGE' or 'ZREVRANGE'
    local members = redis.call(range, key, first, first + tonumber(most) - 1)
    return { #members > 0 and redis.call('ZSCORE', key, members[#members]), members }
  end,
  unless = function(from, to)
    local key = keyAt(from)
    if redis.call('HGET', key, ARGV[from + 1]) == ARGV[from + 2] then
      return {}
    end
    return redis.call('HMGET', key, unpack(ARGV, from + 3, to))
  end,
  unlist = function(from)
    local member = redis.call('HGET', keyAt(from + 1), ARGV[from + 2])
    return member and redis.call('ZREM', keyAt(from), member) or 0
  end,
}

if ARGV[1] ~= '' then
  local time = redis.call('TIME')
  if tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) > tonumber(ARGV[1]) then
    return { 'expired' }
  end
end

-- A command that meets another type fails halfway, and what was written before it stays: so look first.
for index, key in ipairs(KEYS) do
  local found, expected = redis.call('TYPE', key).ok, TYPES[ARGV[2]:sub(index, index)]
  if found ~= 'none' and found ~= expected then
    return redis.error_reply('FOREIGN ' .. key .. ' is a ' .. found .. ' where a ' .. expected .. ' should be')
  end
end

local cursor = 4

for _ = 1, tonumber(ARGV[3]) do
  local from, to = cursor + 2, cursor + 1 + tonumber(ARGV[cursor + 1])
  if not guards[ARGV[cursor]](from + 1, to) then
    return { ARGV[from] }
  end
  cursor = to + 1
end

local output = { 'done' }
while cursor <= #ARGV do
  local name, from, to = ARGV[cursor], cursor + 2, cursor + 1 + tonumber(ARGV[cursor + 1])
  local step = steps[name]
  output[#output + 1] = step and step(from, to) or redis.call(name, keyAt(from), unpack(ARGV, from + 1, to))
  cursor = to + 1
end
return output
