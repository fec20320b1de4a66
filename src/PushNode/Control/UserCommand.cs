using System.Text.Json;
using PushBackplane;
using PushBackplane.Restrictions;

namespace PushNode.Control;

/// <summary>
/// A command about one user, which goes to all nodes: <see cref="UserCommands"/> lists them. As strict as commands to one node: a member
/// that the command does not have is a reason to ignore all of it.
/// </summary>
/// <param name="Verb">What the node must do.</param>
/// <param name="User">The user.</param>
/// <param name="Room">The room; null if the command names none.</param>
/// <param name="Reason">Why, for the user; null if the command gives none.</param>
/// <param name="Target">What is restricted, or no longer.</param>
/// <param name="Until">When the restriction is over.</param>
internal sealed record UserCommand(
    ControlVerb Verb, UserId User, RoomId? Room, string? Reason, RestrictionTarget Target = default, DateTimeOffset Until = default)
{
    /// <summary>What is not a command about a user.</summary>
    public const string NotAccepted = "is a command about a user with a member that is missing, unknown or not accepted";

    private static readonly string[] OfDisconnect = ["reason"];
    private static readonly string[] OfLeave = ["room"];
    private static readonly string[] OfRestrict = ["kind", "room", "until", "reason"];
    private static readonly string[] OfUnrestrict = ["kind", "room"];

    /// <summary>The verb of a command's word; None if it is not a command about a user.</summary>
    public static ControlVerb VerbOf(string? word) => word switch
    {
        UserCommands.DisconnectWord => ControlVerb.Disconnect,
        UserCommands.LeaveWord => ControlVerb.Leave,
        UserCommands.RestrictWord => ControlVerb.Restrict,
        UserCommands.UnrestrictWord => ControlVerb.Unrestrict,
        _ => ControlVerb.None,
    };

    /// <summary>Reads a command.</summary>
    /// <param name="verb">One of <see cref="VerbOf"/>, not None.</param>
    /// <param name="root">The JSON object, without duplicate members.</param>
    /// <returns>Null if it is not exactly such a command.</returns>
    /// <exception cref="InvalidOperationException">A text has a lone surrogate.</exception>
    public static UserCommand? Read(ControlVerb verb, JsonElement root)
    {
        var members = verb switch
        {
            ControlVerb.Disconnect => OfDisconnect,
            ControlVerb.Leave => OfLeave,
            ControlVerb.Restrict => OfRestrict,
            _ => OfUnrestrict,
        };
        if (root.EnumerateObject().Any(member => member.Name is not ("command" or "user") && !members.Contains(member.Name)))
            return null;
        if (!TryReadText(root, "user", out var userText) || !UserId.TryParse(userText, out var user, out _))
            return null;
        if (!TryReadText(root, "room", out var roomText) || !TryReadText(root, "reason", out var reason) || reason is not null && !Restriction.IsReason(reason))
            return null;
        RoomId? room = null;
        if (roomText is not null)
        {
            if (!RoomId.TryParse(roomText, out var named, out _))
                return null;
            room = named;
        }

        return verb switch
        {
            ControlVerb.Disconnect => new UserCommand(verb, user, null, reason),
            ControlVerb.Leave => room is null ? null : new UserCommand(verb, user, room, null),
            _ => ReadRestriction(verb, root, user, room, reason),
        };
    }

    private static UserCommand? ReadRestriction(ControlVerb verb, JsonElement root, UserId user, RoomId? room, string? reason)
    {
        if (!TryReadText(root, "kind", out var word) || UserCommands.KindOf(word) is not { } kind || (kind == RestrictionKind.Ban && room is not null))
            return null;
        var until = 0L;
        if (verb == ControlVerb.Restrict
            && (!root.TryGetProperty("until", out var number) || number.ValueKind != JsonValueKind.Number || !number.TryGetInt64(out until)
                || until < 0 || until > DateTimeOffset.MaxValue.ToUnixTimeSeconds()))
        {
            return null;
        }

        return new UserCommand(verb, user, room, reason, new RestrictionTarget(kind, user, room), DateTimeOffset.FromUnixTimeSeconds(until));
    }

    /// <summary>Reads a member that is text or missing.</summary>
    private static bool TryReadText(JsonElement root, string name, out string? text)
    {
        text = null;
        if (!root.TryGetProperty(name, out var element))
            return true;
        text = element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        return text is not null;
    }
}
