namespace PushBackplane.Counts;

/// <summary>
/// What readers ask Redis, as scripts whose KEYS[1] is the key of the nodes. All of them take whatever they find: a key of another type counts as
/// empty, and a value that is no number as 0, because anyone may write to Redis. Their answers are bounded.
/// </summary>
internal static class ReadScripts
{
    /// <summary>ARGV: prefix, id of the node to leave out, rooms. Answers their members elsewhere, with a space between.</summary>
    public const string Elsewhere = Live + """
        local sums = {}
        for i = 3, #ARGV do sums[i - 2] = 0 end
        for _, id in ipairs(live()) do
            if id ~= ARGV[2] then
                for i = 3, #ARGV do sums[i - 2] = sums[i - 2] + number(redis.pcall('ZSCORE', ARGV[1] .. id .. ':rooms', ARGV[i])) end
            end
        end
        for i = 1, #sums do sums[i] = string.format('%.0f', sums[i]) end
        return table.concat(sums, ' ')
        """;

    /// <summary>ARGV: prefix, room.</summary>
    public const string Room = Live + Sketches + """
        local online, nodes = 0, 0
        for _, id in ipairs(live()) do
            local members = number(redis.pcall('ZSCORE', ARGV[1] .. id .. ':rooms', ARGV[2]))
            if members > 0 then
                online, nodes = online + members, nodes + 1
                add(redis.pcall('HGET', ARGV[1] .. id .. ':sketches', ARGV[2]))
            end
        end
        return cjson.encode({online = online, nodes = nodes, users = users()})
        """;

    /// <summary>
    /// ARGV: prefix, count, prefix of the names. The rooms that one node has among its largest are the candidates; the best of them by what is known
    /// are looked up on all nodes. No other room can have more than <c>most</c>, the sum of what it can have where it is not listed.
    /// </summary>
    public const string Largest = Live + """
        local count, begins = tonumber(ARGV[2]), ARGV[3]
        local ids = live()
        local each = math.max(count, math.min(100, math.floor(2000 / math.max(1, #ids))))
        local names, sums, listed, most = {}, {}, {}, 0
        local function take(name, members, least)
            if #name > 128 then return end
            if not sums[name] then
                names[#names + 1], sums[name], listed[name] = name, 0, 0
            end
            sums[name], listed[name] = sums[name] + members, listed[name] + least
        end
        for _, id in ipairs(ids) do
            local key = ARGV[1] .. id
            if begins == '' then
                local list = redis.pcall('ZREVRANGE', key .. ':rooms', 0, each - 1, 'WITHSCORES')
                local least = not list.err and #list == 2 * each and number(list[#list]) or 0
                for i = 1, list.err and 0 or #list, 2 do take(list[i], number(list[i + 1]), least) end
                most = most + least
            else
                local list = redis.pcall('ZRANGEBYLEX', key .. ':names', '[' .. begins, '(' .. begins .. '\255', 'LIMIT', 0, each + 1)
                local least = not list.err and #list > each and 1000000000 or 0
                for i = 1, list.err and 0 or #list do take(list[i], number(redis.pcall('ZSCORE', key .. ':rooms', list[i])), least) end
                most = most + least
            end
        end
        table.sort(names, function(a, b) if sums[a] == sums[b] then return a < b end return sums[a] > sums[b] end)
        local rooms, missed = {}, most
        for i, name in ipairs(names) do
            if i <= 2 * count then
                local online, nodes = 0, 0
                for _, id in ipairs(ids) do
                    local members = number(redis.pcall('ZSCORE', ARGV[1] .. id .. ':rooms', name))
                    if members > 0 then online, nodes = online + members, nodes + 1 end
                end
                if online > 0 then rooms[#rooms + 1] = {name, online, nodes} end
            else
                missed = math.max(missed, sums[name] + most - listed[name])
            end
        end
        table.sort(rooms, function(a, b) if a[2] == b[2] then return a[1] < b[1] end return a[2] > b[2] end)
        for i = #rooms, count + 1, -1 do rooms[i] = nil end
        local least = #rooms == count and rooms[count][2] or 0
        return cjson.encode({rooms = rooms, approximate = missed > least})
        """;

    /// <summary>
    /// ARGV: prefix, count, prefix of the names, the name after which the page begins or ''. Merges the nodes' names in the order of their bytes, which
    /// Lua's own comparison does not have in every locale.
    /// </summary>
    public const string Rooms = Live + """
        local count, begins, after = tonumber(ARGV[2]), ARGV[3], ARGV[4]
        local low = after ~= '' and '(' .. after or begins ~= '' and '[' .. begins or '-'
        local high = begins ~= '' and '(' .. begins .. '\255' or '+'
        local function before(a, b)
            for i = 1, math.min(#a, #b) do
                local x, y = string.byte(a, i), string.byte(b, i)
                if x ~= y then return x < y end
            end
            return #a < #b
        end
        local ids, lists, heads = live(), {}, {}
        for i, id in ipairs(ids) do
            local list = redis.pcall('ZRANGEBYLEX', ARGV[1] .. id .. ':names', low, high, 'LIMIT', 0, count + 1)
            lists[i], heads[i] = list.err and {} or list, 1
        end
        local rooms, more = {}, false
        while true do
            local name
            for i, list in ipairs(lists) do
                local head = list[heads[i]]
                if head and (not name or before(head, name)) then name = head end
            end
            if not name then break end
            if #rooms == count then more = true break end
            local online, nodes = 0, 0
            for i, list in ipairs(lists) do
                if list[heads[i]] == name then heads[i] = heads[i] + 1 end
                local members = number(redis.pcall('ZSCORE', ARGV[1] .. ids[i] .. ':rooms', name))
                if members > 0 then online, nodes = online + members, nodes + 1 end
            end
            if #name <= 128 then rooms[#rooms + 1] = {name, online, nodes} end
        end
        return cjson.encode({rooms = rooms, more = more})
        """;

    /// <summary>ARGV: prefix, user.</summary>
    public const string User = Live + """
        local connections, nodes = 0, 0
        for _, id in ipairs(live()) do
            local own = number(redis.pcall('HGET', ARGV[1] .. id .. ':users', ARGV[2]))
            if own > 0 then connections, nodes = connections + own, nodes + 1 end
        end
        return cjson.encode({connections = connections, nodes = nodes})
        """;

    /// <summary>ARGV: prefix, count, the id after which the page begins or '', names of totals.</summary>
    public const string Nodes = Live + """
        local count, after, ids, nodes, more = tonumber(ARGV[2]), ARGV[3], live(), {}, false
        table.sort(ids)
        for _, id in ipairs(ids) do
            if after == '' or id > after then
                if #nodes == count then more = true break end
                local values = redis.pcall('HMGET', ARGV[1] .. id, 'node', unpack(ARGV, 4))
                if not values.err and values[1] and #values[1] <= 128 then
                    local node = {id, values[1]}
                    for i = 2, #values do node[i + 1] = total(values[i]) end
                    nodes[#nodes + 1] = node
                end
            end
        end
        return cjson.encode({nodes = nodes, more = more})
        """;

    /// <summary>ARGV: prefix, names of totals.</summary>
    public const string Farm = Live + Sketches + """
        local sums, nodes = {}, 0
        for i = 2, #ARGV do sums[i - 1] = 0 end
        for _, id in ipairs(live()) do
            local values = redis.pcall('HMGET', ARGV[1] .. id, 'sketch', unpack(ARGV, 2))
            if not values.err then
                nodes = nodes + 1
                add(values[1])
                for i = 2, #values do sums[i - 1] = sums[i - 1] + tonumber(total(values[i])) end
            end
        end
        for i = 1, #sums do sums[i] = string.format('%.0f', sums[i]) end
        return cjson.encode({nodes = nodes, totals = sums, users = users()})
        """;

    /// <summary>The nodes that live, and numbers that cannot be too large for JSON.</summary>
    private const string Live = ReportScripts.Now + """
        local function live()
            local found, ids = redis.pcall('ZRANGEBYSCORE', KEYS[1], now, '+inf', 'LIMIT', 0, 256), {}
            for _, id in ipairs(found.err and {} or found) do
                if #id <= 32 then ids[#ids + 1] = id end
            end
            return ids
        end
        local function bounded(value, most)
            local n = type(value) == 'string' and #value <= 32 and tonumber(value)
            return n and n > 0 and math.min(math.floor(n), most) or 0
        end
        local function number(value) return bounded(value, 1000000000) end
        local function total(value) return string.format('%.0f', bounded(value, 1e15)) end

        """;

    /// <summary>Merges users' sketches: sorted as numbers, for the reason that <see cref="Rooms"/> has.</summary>
    private const string Sketches = """
        local hashes, seen, largest, sum, whole = {}, {}, 0, 0, true
        local function add(value)
            local colon = type(value) == 'string' and #value <= 1024 and string.find(value, ':', 1, true)
            if not colon then return end
            local count, kept = number(string.sub(value, 1, colon - 1)), 0
            for at = colon + 1, #value - 6, 7 do
                local hash = struct.unpack('>I7', value, at)
                if not seen[hash] then seen[hash], hashes[#hashes + 1] = true, hash end
                kept = kept + 1
            end
            largest, sum, whole = math.max(largest, count), sum + count, whole and kept == count
        end
        local function users()
            table.sort(hashes)
            local smallest = {}
            for i = 1, whole and 0 or math.min(#hashes, 128) do smallest[i] = string.format('%.0f', hashes[i]) end
            return {largest = largest, sum = sum, whole = whole, distinct = #hashes, smallest = table.concat(smallest, ' ')}
        end

        """;
}
