using System.Buffers.Text;
using System.Text;
using PushApi.Requests;
using PushBackplane;
using PushBackplane.Counts;

namespace PushApi.Counts;

/// <summary>The parameters of a count. Belongs to one request.</summary>
internal sealed class CountQuery(IQueryCollection query) : QueryParameters(query)
{
    /// <summary>A cursor for a name, which the client passes back as it is.</summary>
    public static string CursorOf(string after) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(after));

    /// <summary>A number of entries.</summary>
    /// <param name="name">The parameter.</param>
    /// <param name="standard">The number without the parameter.</param>
    public int Count(string name, int standard) => Number(name, standard, IFarmCounts.MaxPage);

    /// <summary>The beginning of rooms' names; empty without it.</summary>
    public string Prefix()
    {
        const string Name = "prefix";
        var text = Text(Name) ?? "";
        // '.' and '..' begin names although they are none.
        if (text is "" or "." or ".." || RoomId.TryParse(text, out _, out var error))
            return text;
        Refuse(Name, $"{error}.");
        return "";
    }

    /// <summary>Where the page begins; empty without a cursor.</summary>
    public string Cursor(string prefix = "")
    {
        const string Name = "cursor";
        if (Text(Name) is not { } text)
            return "";
        Span<byte> utf8 = stackalloc byte[2 * RoomId.MaxBytes];
        if (text.Length <= 2 * RoomId.MaxBytes && Base64Url.IsValid(text) && Base64Url.TryDecodeFromChars(text, utf8, out var length)
            && System.Text.Unicode.Utf8.IsValid(utf8[..length]) && Encoding.UTF8.GetString(utf8[..length]) is { Length: > 0 } after
            && after.StartsWith(prefix, StringComparison.Ordinal))
        {
            return after;
        }

        Refuse(Name, "is not one of this list; it accepts 'next' of the page before.");
        return "";
    }
}
