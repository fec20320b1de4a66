using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace PushBackplane.Restrictions;

/// <summary>
/// The commands about one user, as the bytes that go over <see cref="IBackplane.Control"/> to all nodes:
/// <c>{"command":"disconnect","user":"alice","reason":"..."}</c>. Stateless; any thread.
/// </summary>
public static class UserCommands
{
    /// <summary>Closes the user's connections.</summary>
    public const string DisconnectWord = "disconnect";

    /// <summary>Takes the user's connections out of a room.</summary>
    public const string LeaveWord = "leave";

    /// <summary>Tells of a restriction.</summary>
    public const string RestrictWord = "restrict";

    /// <summary>Tells that a restriction is lifted.</summary>
    public const string UnrestrictWord = "unrestrict";

    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Closes the connections of a user.</summary>
    /// <param name="user">The user.</param>
    /// <param name="reason">Text that <see cref="Restriction.IsReason"/> accepts; null for none.</param>
    public static byte[] Disconnect(UserId user, string? reason) => Encode(DisconnectWord, user, room: null, null, null, reason);

    /// <summary>Takes the connections of a user out of a room.</summary>
    public static byte[] Leave(UserId user, RoomId room) => Encode(LeaveWord, user, room, null, null, null);

    /// <summary>Tells of a restriction.</summary>
    public static byte[] Restrict(Restriction restriction) => Encode(
        RestrictWord, restriction.Target.User, restriction.Target.Room, restriction.Target.Kind, restriction.Until, restriction.Reason);

    /// <summary>Tells that a restriction is lifted.</summary>
    public static byte[] Unrestrict(RestrictionTarget target) =>
        Encode(UnrestrictWord, target.User, target.Room, target.Kind, null, null);

    /// <summary>The word of a kind in commands and keys.</summary>
    public static string WordOf(RestrictionKind kind) => kind == RestrictionKind.Ban ? "ban" : "mute";

    /// <summary>The kind of a word; null for any other word.</summary>
    public static RestrictionKind? KindOf(ReadOnlySpan<char> word) => word switch
    {
        "ban" => RestrictionKind.Ban,
        "mute" => RestrictionKind.Mute,
        _ => null,
    };

    private static byte[] Encode(string command, UserId user, RoomId? room, RestrictionKind? kind, DateTimeOffset? until, string? reason)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(bytes, Readable);
        json.WriteStartObject();
        json.WriteString("command"u8, command);
        if (kind is { } restricted)
            json.WriteString("kind"u8, WordOf(restricted));
        json.WriteString("user"u8, user.ToString());
        if (room is { } where)
            json.WriteString("room"u8, where.ToString());
        if (until is { } end)
            json.WriteNumber("until"u8, end.ToUnixTimeSeconds());
        if (reason is not null)
            json.WriteString("reason"u8, reason);
        json.WriteEndObject();
        json.Flush();
        return bytes.WrittenSpan.ToArray();
    }
}
