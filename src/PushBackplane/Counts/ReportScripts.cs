namespace PushBackplane.Counts;

/// <summary>What a node asks Redis to keep, as scripts (docs/counts.md has the keys).</summary>
internal static class ReportScripts
{
    /// <summary>Redis's clock in milliseconds.</summary>
    internal const string Now = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)

        """;

    /// <summary>
    /// KEYS: nodes, and the node's own hash, rooms, names, users, sketches. ARGV: id, lease in ms, sequence, first, prefix of the nodes' keys, the
    /// number of words of totals and the totals, the number of rooms and for each its name, members, whether to ask for others, and its sketch ('='
    /// for unchanged); users in the same way, without sketches. Answers 'lost', 'stale', or 'kept' with the rooms (r) and users (u) that asked and that no
    /// other node has.
    /// </summary>
    public const string Report = Now + """
        local id, lease, sequence = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
        local first, prefix = ARGV[4] == '1', ARGV[5]
        local known = redis.pcall('HMGET', KEYS[2], 'sequence', 'room_count', 'user_count')
        local last = not known.err and tonumber(known[1])
        if last and last >= sequence then return 'stale' end
        if first then
            redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
            local kind = redis.call('TYPE', KEYS[1]).ok
            if kind ~= 'zset' and kind ~= 'none' then redis.call('UNLINK', KEYS[1]) end
        else
            local ends = redis.pcall('ZSCORE', KEYS[1], id)
            if not last or type(ends) ~= 'string' or not (tonumber(ends) >= now)
                or redis.pcall('ZCARD', KEYS[3]) ~= tonumber(known[2]) or redis.pcall('ZCARD', KEYS[4]) ~= tonumber(known[2])
                or redis.pcall('HLEN', KEYS[5]) ~= tonumber(known[3]) then
                return 'lost'
            end
        end
        local others, changes = nil, {}
        local function flipped(key, read, name, what)
            others = others or redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf', 'LIMIT', 0, 256)
            for _, other in ipairs(others) do
                local count = other ~= id and redis.pcall(read, prefix .. other .. key, name)
                if type(count) == 'string' and tonumber(count) then return end
            end
            changes[#changes + 1] = what
        end
        local at = 7 + tonumber(ARGV[6])
        redis.call('HSET', KEYS[2], 'sequence', ARGV[3], unpack(ARGV, 7, at - 1))
        local rooms = tonumber(ARGV[at])
        at = at + 1
        for number = 0, rooms - 1 do
            local room, online, asks, sketch = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
            at = at + 4
            if online == '0' then
                if redis.call('ZREM', KEYS[3], room) == 1 then
                    redis.call('ZREM', KEYS[4], room)
                    redis.call('HDEL', KEYS[6], room)
                end
            else
                if redis.call('ZADD', KEYS[3], online, room) == 1 then redis.call('ZADD', KEYS[4], 0, room) end
                if sketch == '' then redis.call('HDEL', KEYS[6], room)
                elseif sketch ~= '=' then redis.call('HSET', KEYS[6], room, sketch) end
            end
            if asks == '1' then flipped(':rooms', 'ZSCORE', room, 'r' .. number) end
        end
        local number = 0
        while at < #ARGV do
            local user, connections, asks = ARGV[at], ARGV[at + 1], ARGV[at + 2]
            at = at + 3
            if connections == '0' then redis.call('HDEL', KEYS[5], user) else redis.call('HSET', KEYS[5], user, connections) end
            if asks == '1' then flipped(':users', 'HGET', user, 'u' .. number) end
            number = number + 1
        end
        redis.call('HSET', KEYS[2], 'room_count', redis.call('ZCARD', KEYS[3]), 'user_count', redis.call('HLEN', KEYS[5]))
        redis.call('ZADD', KEYS[1], now + lease, id)
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now - 60000)
        redis.call('PEXPIRE', KEYS[1], 60000)
        for key = 2, 6 do redis.call('PEXPIRE', KEYS[key], lease) end
        return 'kept ' .. table.concat(changes, ' ')
        """;

    /// <summary>KEYS as of <see cref="Report"/>. ARGV: id. Forgets a node.</summary>
    public const string Leave = """
        redis.pcall('ZREM', KEYS[1], ARGV[1])
        redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
        return 'left'
        """;
}
