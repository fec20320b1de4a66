using System.Text;
using System.Text.Json;
using PushNode.Access;
using PushNode.Messages;

namespace PushNode.Sending;

/// <summary>
/// What a client sends becomes a message that names it: <c>{"from":"alice","item":...}</c>, with the token's <c>info</c> between if it has
/// one. The node writes the name, so no client can take another's. Stateless; any thread.
/// </summary>
internal static class SentItem
{
    /// <summary>
    /// Checks an item, which is known to be JSON of few enough levels. It is stricter with strangers than publishers: half a surrogate pair
    /// makes some clients throw, and a member <c>__proto__</c> makes npm's MessagePack refuse the whole batch.
    /// </summary>
    /// <param name="item">The item; null if the request has none.</param>
    /// <returns>What is wrong, as a sentence; null if nothing is.</returns>
    public static string? Problem(byte[]? item)
    {
        if (item is null)
            return "data.item is missing; it accepts any JSON value.";
        if (item.AsSpan().Contains((byte)'\\') && JsonCheck.HasLoneSurrogate(item))
            return "data.item has half of a surrogate pair, which is no character.";
        var reader = new Utf8JsonReader(item);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("__proto__"u8))
                return "data.item has a member __proto__, which not every client can read.";
        }

        return null;
    }

    /// <summary>Makes the message. The item's bytes stay as they are.</summary>
    public static byte[] Encode(Principal sender, byte[] item)
    {
        var from = Encoding.UTF8.GetBytes($$"""{"from":"{{JsonText.Escape(sender.User!.Value.ToString())}}",""");
        return sender.Info.Length == 0
            ? [.. from, .. "\"item\":"u8, .. item, (byte)'}']
            : [.. from, .. "\"info\":"u8, .. sender.Info, .. ",\"item\":"u8, .. item, (byte)'}'];
    }
}
