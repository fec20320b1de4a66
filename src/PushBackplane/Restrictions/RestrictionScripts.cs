using System.Text;
using PushBackplane.Redis;

namespace PushBackplane.Restrictions;

/// <summary>
/// The scripts of <see cref="RedisRestrictions"/>. A change is kept and told in one step, so that a node that reads afterwards finds it and one
/// that has read before hears it. The hash itself expires with its last restriction. Redis 5 or later.
/// </summary>
internal static class RestrictionScripts
{
    /// <summary>The answer of a change that found no place.</summary>
    public const string Full = "full";

    /// <summary>What comes before the number of nodes in the answer of a change.</summary>
    public const string Done = "done ";

    /// <summary>Separates the parts of <see cref="Load"/>'s answer; fields and values have no control characters.</summary>
    public const char Separator = '\t';

    private const int FieldsOfPage = 100;

    // Only a full hash is searched for what is over, because that takes as long as it has fields.
    private const string RestrictText = """
        local function count() return redis.call('HLEN', KEYS[1]) end
        local known = redis.pcall('HEXISTS', KEYS[1], ARGV[1])
        if type(known) == 'table' then return known end
        if known == 0 and count() >= tonumber(ARGV[5]) then
          local all = redis.call('HGETALL', KEYS[1])
          for i = 1, #all, 2 do
            local over = tonumber(string.match(all[i + 1], '^%d+'))
            if not over or over <= tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], all[i]) end
          end
          if count() >= tonumber(ARGV[5]) then return redis.status_reply('full') end
        end
        local kept = redis.pcall('HSET', KEYS[1], ARGV[1], ARGV[2])
        if type(kept) == 'table' then return kept end
        local rest = tonumber(ARGV[4]) - tonumber(ARGV[3])
        if redis.call('TTL', KEYS[1]) < rest then redis.call('EXPIRE', KEYS[1], rest) end
        local nodes = redis.pcall('PUBLISH', ARGV[6], ARGV[7])
        if type(nodes) == 'table' then return nodes end
        return redis.status_reply('done ' .. nodes)
        """;

    private const string LiftText = """
        local gone = redis.pcall('HDEL', KEYS[1], ARGV[1])
        if type(gone) == 'table' then return gone end
        local nodes = redis.pcall('PUBLISH', ARGV[2], ARGV[3])
        if type(nodes) == 'table' then return nodes end
        return redis.status_reply('done ' .. nodes)
        """;

    // What is no restriction of ours is left alone: somebody else may own it. Reading works also where writing is refused.
    private const string LoadText = """
        local page = redis.pcall('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[3])
        if page.err then return page end
        local found = { page[1] }
        for i = 1, #page[2], 2 do
          local field, value = page[2][i], page[2][i + 1]
          local over = tonumber(string.match(value, '^%d+'))
          local isText = not string.find(field, '%c') and not string.find(value, '%c')
          if over and over <= tonumber(ARGV[2]) then
            redis.pcall('HDEL', KEYS[1], field)
          elseif over and isText and #field < 300 and #value < 200 then
            found[#found + 1] = field
            found[#found + 1] = value
          end
        end
        return table.concat(found, '\t')
        """;

    /// <summary>Keeps a restriction and tells the nodes.</summary>
    /// <param name="key">The hash.</param>
    /// <param name="restriction">The restriction.</param>
    /// <param name="now">The time.</param>
    /// <param name="most">The number of restrictions there may be.</param>
    /// <param name="control">The control channel.</param>
    public static RedisScript Restrict(string key, Restriction restriction, DateTimeOffset now, int most, string control) => new(
        RestrictText, [key], Bytes(RestrictionEntry.Field(restriction.Target)), Bytes(RestrictionEntry.Value(restriction)),
        RedisScript.Number(now.ToUnixTimeSeconds()), RedisScript.Number(restriction.Until.ToUnixTimeSeconds()), RedisScript.Number(most),
        Bytes(control), UserCommands.Restrict(restriction));

    /// <summary>Lifts a restriction and tells the nodes.</summary>
    public static RedisScript Lift(string key, RestrictionTarget target, string control) =>
        new(LiftText, [key], Bytes(RestrictionEntry.Field(target)), Bytes(control), UserCommands.Unrestrict(target));

    /// <summary>Reads a page, and removes what is over. Answers the next page's cursor, "0" after the last, and then fields and values.</summary>
    public static RedisScript Load(string key, string cursor, DateTimeOffset now) =>
        new(LoadText, [key], Bytes(cursor), RedisScript.Number(now.ToUnixTimeSeconds()), RedisScript.Number(FieldsOfPage));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
