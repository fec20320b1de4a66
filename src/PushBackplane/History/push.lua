#!lua name=push
-- Rooms' histories on Redis: docs/history.md says what is kept, docs/adr/0040 why it is done like this. The farm loads this text as a library
-- into Redis 7 and later; before, it runs the part above "Functions" as scripts. For another prefix it changes the two names below.
--
-- Functions and scripts are not rolled back. Whatever may be refused comes before XADD, and nothing behind it is, except by rights.
-- Keys: 1 the room's hash, 2 its stream, 3 the life of the server; of append 4 and 5 the request's key and its answer, or 4 the user's slow mode.
local prefix = 'push:'
local library = 'push'

local NUMBERING = 604800000         -- an idle room's numbers go on for seven days after its last message
local EMPTY = 300000                -- ttl of a room that has never had a message
local LARGEST = 1e14                -- numbers up to here have all their digits as text
local PAGE = 1048576                -- a page ends with the entry that makes it as large
local life, looked, seen = nil, 0, nil

local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000), t[1] * 1000000 + t[2]
end

-- A restart or a promotion changes master_replid, and begins a new life. A library keeps what it saw for a second.
local function fence(key, now, us)
  if life and now >= looked and now - looked < 1000 then return end
  local id = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or ''
  if id ~= seen then
    local was = redis.call('HMGET', key, 'id', 'life')
    local same = was[1] == id and was[2] and #was[2] <= 16 and not string.find(was[2], '%X') and was[2]
    life = same or string.format('%x', us)
    if not same then redis.call('HSET', key, 'id', id, 'life', life) end
    seen = id
  end
  looked = now
end

local function born(us) return { epoch = string.format('%s-%x', life, us), last = 0, ancestors = '', due = 0, new = true, empty = true } end

-- Where the room stands. A hash that is missing or not ours begins a new epoch; one of another life forks.
local function position(hash, us)
  local m = redis.call('HMGET', hash, 'e', 'o', 'a', 'x', 's', 't')
  local last = tonumber(m[2] or '')
  local of, birth = string.match(m[1] or '', '^(%x+)%-(%x+)$')
  if not of or #m[1] > 40 or not last or not (last >= 0 and last < LARGEST) or last % 1 ~= 0 then return born(us) end
  local at = { epoch = m[1], last = last, ancestors = m[3] or '', due = tonumber(m[4] or 0) or 0, size = m[5], ttl = m[6] }
  if of ~= life then
    at.ancestors = string.match(m[1] .. ':' .. m[2] .. ' ' .. at.ancestors, '^%S+ ?%S* ?%S* ?%S*')
    at.epoch, at.due, at.new = life .. '-' .. birth, 0, true
  end
  return at
end

-- What is too old leaves, for a while of at most 64 short messages. Returns the oldest entry that stays, and whether all that was old is gone.
local function clean(stream, before)
  local budget = 64
  while true do
    local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    if not oldest or (tonumber(oldest[2][2]) or 0) >= before then return oldest, true end
    if budget <= 0 then return oldest, false end
    budget = budget - 1 - math.floor(#(oldest[2][4] or '') / 16384)
    redis.call('XDEL', stream, oldest[1])
  end
end

local function add(stream, at, n, now, body, size)
  local last = at.last + n
  return redis.pcall('XADD', stream, 'MINID', '~', math.max(0, last - size + 1), last .. '-' .. n, 't', now, 'b', body)
end

local function failed(answer) return type(answer) == 'table' and answer.err end

-- Arguments: channel, number of messages, published_at and the messages as in the envelope, size, ttl.
local function keep(keys, args, now, us)
  local hash, stream = keys[1], keys[2]
  local n, body, size, ttl = tonumber(args[2]), args[3], tonumber(args[4]), tonumber(args[5])
  fence(keys[3], now, us)
  local at = position(hash, us)
  if at.empty then redis.call('DEL', stream) end
  local added = add(stream, at, n, now, body, size)
  if failed(added) and string.find(added.err, 'equal or smaller', 1, true) then
    -- Somebody changed the hash or the stream, and the numbers would lie.
    at = born(us)
    redis.call('DEL', stream)
    added = add(stream, at, n, now, body, size)
  end
  if failed(added) then return added end

  local first = at.last + 1
  at.last = at.last + n
  if at.new or at.size ~= args[4] or at.ttl ~= args[5] then
    redis.call('HSET', hash, 'e', at.epoch, 'o', at.last, 'a', at.ancestors, 'x', at.due, 's', size, 't', ttl)
  else
    redis.call('HSET', hash, 'o', at.last)
  end
  if now >= at.due then             -- twice in a ttl
    local _, done = clean(stream, now - ttl)
    if done then redis.call('HSET', hash, 'x', now + math.floor(ttl / 2)) end
    redis.call('PEXPIRE', stream, 2 * ttl)
    redis.call('PEXPIRE', hash, ttl + NUMBERING)
  end
  local nodes = redis.pcall('PUBLISH', args[1], '\193\1\148' .. body .. cmsgpack.pack(at.epoch) .. cmsgpack.pack(first))
  if failed(nodes) then return redis.error_reply('UNPUBLISHED ' .. nodes.err) end
  return nodes, at.epoch .. '.' .. at.last
end

-- Further arguments: the request's fingerprint and how long it is remembered, or the user's spacing.
local function append(keys, args)
  local isOnce, isSpaced = #keys == 5, #keys == 4
  if isOnce then
    local was = redis.call('MGET', keys[4], keys[5])
    if was[1] and was[1] ~= args[6] then return 'reused' end
    if was[2] then return 'replayed ' .. was[2] end
    redis.call('SET', keys[4], args[6], 'PX', args[7])
  elseif isSpaced and not redis.call('SET', keys[4], '', 'NX', 'PX', args[6]) then
    local wait = redis.call('PTTL', keys[4])
    if wait < 0 then                -- no end: not ours, and the user would be silent for good
      redis.call('SET', keys[4], '', 'PX', args[6])
      wait = args[6]
    end
    return 'wait ' .. wait
  end

  local nodes, position = keep(keys, args, clock())
  if failed(nodes) then
    if isSpaced then redis.call('DEL', keys[4]) end
    return nodes
  end
  local answer = nodes .. ' ' .. position
  if isOnce then redis.call('SET', keys[5], answer, 'PX', args[7]) end
  return 'first ' .. answer
end

-- Takes the room up where it stands now, for a reader: it gets its epoch, and nothing old.
local function visit(keys)
  local now, us = clock()
  fence(keys[3], now, us)
  local at = position(keys[1], us)
  local oldest = not at.empty and clean(keys[2], now - (tonumber(at.ttl) or EMPTY)) or nil
  if oldest then
    local last, n = string.match(oldest[1], '^(%d+)%-(%d+)$')
    last, n = tonumber(last), tonumber(n)
    if last > at.last or n < 1 or n > last then at = born(us) else at.floor = last - n end
  end
  if at.empty then redis.call('DEL', keys[2]) end
  if at.new then
    redis.call('HSET', keys[1], 'e', at.epoch, 'o', at.last, 'a', at.ancestors, 'x', 0)
    if at.last == 0 then redis.call('PEXPIRE', keys[1], NUMBERING) end
  end
  return at
end

-- Arguments: offset, the largest number of messages, whether the newest come first. Answers epoch, ancestors, last, floor, and of each entry
-- last, number and body, as MessagePack values one after another.
local function read(keys, args)
  local stream, since, left, isReverse = keys[2], tonumber(args[1]), tonumber(args[2]), args[3] == '1'
  local at = visit(keys)
  local page = { cmsgpack.pack(at.epoch), cmsgpack.pack(at.ancestors), cmsgpack.pack(at.last), cmsgpack.pack(at.floor or at.last) }
  local from, bytes, entries, count = '(' .. args[1] .. '-18446744073709551615', 0, 0, 4
  if isReverse then
    local around = redis.call('XRANGE', stream, args[1] .. '-0', '+', 'COUNT', 1)[1]
    from = around and around[1] or '+'
  end
  while left > 0 and bytes < PAGE do
    count = math.max(1, math.min(count, left))
    local found
    if isReverse then found = redis.call('XREVRANGE', stream, from, '-', 'COUNT', count)
    else found = redis.call('XRANGE', stream, from, '+', 'COUNT', count) end
    for _, entry in ipairs(found) do
      local last, n = string.match(entry[1], '^(%d+)%-(%d+)$')
      local body = entry[2][4] or ''
      last, n = tonumber(last), tonumber(n)
      if left > 0 and bytes < PAGE and not (isReverse and last - n >= since) then
        page[#page + 1] = cmsgpack.pack(last) .. cmsgpack.pack(n) .. cmsgpack.pack(body)
        left, bytes, entries = left - n, bytes + #body, entries + 1
      end
      from = '(' .. entry[1]
    end
    if #found < count then break end
    -- Of entries like those before about what is missing: what Redis reads too much costs it time.
    count = math.min(256, math.floor((PAGE - bytes) * entries / (bytes + 1)))
  end
  return table.concat(page)
end

-- Arguments: channel. Nodes learn of it by an envelope without items, in its place between the others.
local function delete(keys, args)
  local at = visit(keys)
  local _, us = clock()
  redis.call('DEL', keys[2])
  local nodes = redis.pcall('PUBLISH', args[1], '\193\1\148' .. cmsgpack.pack(us) .. '\144' .. cmsgpack.pack(at.epoch) .. cmsgpack.pack(at.last + 1))
  if failed(nodes) then return redis.error_reply('UNPUBLISHED ' .. nodes.err) end
  return 'done'
end

-- Functions
local function be(v, n)
  local t = ''
  for _ = 1, n do t, v = string.char(v % 256) .. t, math.floor(v / 256) end
  return t
end

-- For people: FCALL push_publish 1 demo '{"text":"hi"}' keeps as much as the farm last did.
local function publish(keys, items)
  local room = keys[1] or ''
  if #keys ~= 1 or #items == 0 then return redis.error_reply('ERR ' .. library .. '_publish takes one room and its messages') end
  if #room < 1 or #room > 128 or string.find(room, '[%c/]') then return redis.error_reply('ERR a room has 1 to 128 bytes, without / and control characters') end
  local now, us = clock()
  local body = { cmsgpack.pack(us), '\221' .. be(#items, 4) }
  for _, item in ipairs(items) do body[#body + 1] = '\198' .. be(#item, 4) .. item end
  local known = redis.call('HMGET', prefix .. 'h:' .. room, 's', 't')
  local size, ttl = tonumber(known[1] or 100) or 100, tonumber(known[2] or 300000) or 300000
  local nodes, position = keep({ prefix .. 'h:' .. room, prefix .. 's:' .. room, prefix .. 'life' },
    { prefix .. 'room:' .. room, #items, table.concat(body), tostring(size), tostring(ttl) }, now, us)
  return position or nodes
end

redis.register_function(library .. '_append', append)
redis.register_function(library .. '_publish', publish)
redis.register_function{ function_name = library .. '_read', callback = read, flags = { 'allow-oom' } }
redis.register_function{ function_name = library .. '_delete', callback = delete, flags = { 'allow-oom' } }
