using System.Globalization;
using System.Text.Json;
using PushBackplane;
using PushBackplane.History;

namespace PushNode.Messages;

/// <summary>Reads where in a room's history a client wants to begin: from the data of a request, and from a URL. Stateless; any thread.</summary>
internal static class Place
{
    /// <summary>The largest <c>last</c>: what one JOIN may cost the node.</summary>
    public const int MaxLast = RoomPolicySettings.MaxRecent;

    /// <summary>The largest <c>limit</c> of a HISTORY: what one answer may cost Redis.</summary>
    public const int MaxLimit = 1_000;

    /// <summary>What <c>since</c> accepts in a request, as the end of a sentence.</summary>
    public const string AcceptedObject =
        "is not accepted; it accepts {\"epoch\":\"...\",\"offset\":7} as a JOINED or PUSH had it: 1 to 64 of 0-9, a-z and '-', and a whole number.";

    /// <summary>What <c>since</c> accepts in a URL, as the end of a sentence.</summary>
    public const string AcceptedText = "is not accepted; it accepts EPOCH.OFFSET: 1 to 64 of 0-9, a-z and '-', a dot, and a whole number.";

    /// <summary>What <c>last</c> accepts, as the end of a sentence.</summary>
    public static readonly string AcceptedLast = Accepted(MaxLast);

    /// <summary>What <c>limit</c> accepts, as the end of a sentence.</summary>
    public static readonly string AcceptedLimit = Accepted(MaxLimit);

    /// <summary>Reads <c>since</c>, which may be missing or null.</summary>
    /// <returns>False if it is not a position.</returns>
    public static bool TryReadSince(JsonElement data, out Position? since)
    {
        since = null;
        if (!data.TryGetProperty("since", out var element) || element.ValueKind == JsonValueKind.Null)
            return true;
        if (element.ValueKind != JsonValueKind.Object
            || !element.TryGetProperty("epoch", out var epoch)
            || !element.TryGetProperty("offset", out var offset) || offset.ValueKind != JsonValueKind.Number || !offset.TryGetInt64(out var number)
            || !Position.TryMake(Request.Text(epoch), number, out var position))
            return false;
        since = position;
        return true;
    }

    /// <summary>Reads a number that may be missing or null.</summary>
    /// <returns>False if it is anything but a whole number from 0 to the largest.</returns>
    public static bool TryReadCount(JsonElement data, string name, int largest, out int count)
    {
        count = 0;
        if (!data.TryGetProperty(name, out var element) || element.ValueKind == JsonValueKind.Null)
            return true;
        return element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out count) && count >= 0 && count <= largest;
    }

    /// <summary>Reads a position of a URL, which needs no percent-encoding; some clients do it all the same.</summary>
    public static bool TryParseSince(ReadOnlySpan<char> text, out Position? since)
    {
        var isGood = Position.TryParse(text.Contains('%') ? Uri.UnescapeDataString(text) : text, out var position);
        since = isGood ? position : null;
        return isGood;
    }

    /// <summary>Reads the <c>last</c> of a URL.</summary>
    public static bool TryParseLast(ReadOnlySpan<char> text, out int last) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out last) && last <= MaxLast;

    private static string Accepted(int largest) => string.Create(CultureInfo.InvariantCulture, $"is not accepted; it accepts a whole number from 0 to {largest}.");
}
