using System.Text.Json;
using PushBackplane;
using PushNode.Telemetry;

namespace PushNode.Control;

/// <summary>
/// A message of the control channel: <c>{"command":"drain","node":"name"}</c>, or a <see cref="UserCommand"/>. Anyone may publish there, so a
/// message that is not exactly a command to this node is ignored. One unknown member is enough, because it may have been meant to limit the
/// command. None of the message's text is kept, but for the names and the reason of a command about a user.
/// </summary>
/// <param name="Verb">What this node must do.</param>
/// <param name="Refusal">The result, and a clause that says why; null if the message is a command, to this node or another.</param>
/// <param name="User">The command, if it is about a user.</param>
internal readonly record struct ControlCommand(ControlVerb Verb, (ControlResult Result, string Why)? Refusal = null, UserCommand? User = null)
{
    /// <summary>The longest message that is read. The longest command, with each character of its names and reason escaped, has about 2,300 bytes.</summary>
    public const int MaxBytes = 4096;

    /// <summary>Not allowed in a node's name. There is no drain of all nodes, because one typing error could empty a farm.</summary>
    private const char Wildcard = '*';

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Reads a message. Safe on any bytes.</summary>
    /// <param name="payload">The published bytes.</param>
    /// <param name="node">The name of this node.</param>
    public static ControlCommand Parse(ReadOnlyMemory<byte> payload, string node)
    {
        if (payload.Length > MaxBytes)
            return Refused(ControlResult.TooLarge, $"is longer than {MaxBytes} bytes");
        if (!MessagePayload.IsJson(payload.Span))
            return Refused(ControlResult.BadJson, "is not JSON in UTF-8");
        try
        {
            using var document = JsonDocument.Parse(payload, Strict);
            return Read(document.RootElement, node);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Expected: IsJson accepts a duplicate member and a lone surrogate.
            return Refused(ControlResult.BadCommand, "has a duplicate member or a lone surrogate");
        }
    }

    private static ControlCommand Read(JsonElement root, string node)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return Refused(ControlResult.BadCommand, "is not a JSON object");
        if (!root.TryGetProperty("node", out _) && UserCommand.VerbOf(CommandOf(root)) is not ControlVerb.None and var verb)
        {
            return UserCommand.Read(verb, root) is { } user
                ? new ControlCommand(verb, User: user)
                : Refused(ControlResult.BadCommand, UserCommand.NotAccepted);
        }

        if (!root.TryGetProperty("node", out var name) || name.ValueKind != JsonValueKind.String
            || name.GetString() is not { Length: > 0 } named || named.Contains(Wildcard, StringComparison.Ordinal))
            return Refused(ControlResult.BadCommand, "has no \"node\" that is the name of one node; there is no list and no wildcard");
        // Only the named node checks the rest: it may run another version.
        if (named != node)
            return new ControlCommand(ControlVerb.None);
        if (root.EnumerateObject().Any(member => !member.NameEquals("command"u8) && !member.NameEquals("node"u8)))
            return Refused(ControlResult.BadCommand, "has an unknown member; a command has \"command\" and \"node\"");
        return CommandOf(root) switch
        {
            "drain" => new ControlCommand(ControlVerb.Drain),
            "undrain" => new ControlCommand(ControlVerb.Undrain),
            _ => Refused(ControlResult.BadCommand, "has no \"command\" that is \"drain\" or \"undrain\""),
        };
    }

    private static string? CommandOf(JsonElement root) =>
        root.TryGetProperty("command", out var command) && command.ValueKind == JsonValueKind.String ? command.GetString() : null;

    private static ControlCommand Refused(ControlResult result, string why) => new(ControlVerb.None, (result, why));
}

/// <summary>What a command tells a node to do.</summary>
internal enum ControlVerb
{
    /// <summary>Nothing: the message is a command to another node, or not a command.</summary>
    None,

    /// <summary>Close its clients, refuse new ones and keep running.</summary>
    Drain,

    /// <summary>Accept clients again.</summary>
    Undrain,

    /// <summary>Close the connections of a user.</summary>
    Disconnect,

    /// <summary>Take the connections of a user out of a room.</summary>
    Leave,

    /// <summary>Note a restriction, and close the connections of a banned user.</summary>
    Restrict,

    /// <summary>Forget a restriction.</summary>
    Unrestrict,
}
