using System.Text.Json;
using PushBackplane;
using PushNode.Telemetry;

namespace PushNode.Control;

/// <summary>
/// A message of the control channel: <c>{"command":"drain","node":"name"}</c>. Anyone may publish there, so a message that is not exactly a
/// command to this node is ignored, even for one unknown member, which may have been meant to limit the command. None of the message's text
/// is kept.
/// </summary>
/// <param name="Verb">What this node must do.</param>
/// <param name="Refusal">The result, and a clause that says why; null if the message is a command, to this node or another.</param>
internal readonly record struct ControlCommand(ControlVerb Verb, (ControlResult Result, string Why)? Refusal = null)
{
    /// <summary>The longest message that is read. The longest command, with each character of its name escaped, has 799 bytes.</summary>
    public const int MaxBytes = 4096;

    /// <summary>Not allowed in a name. There is no command to all nodes, because one typing error could empty a farm.</summary>
    private const char Wildcard = '*';

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Reads a message. Safe on any bytes.</summary>
    /// <param name="payload">>The published bytes.</param>
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
        if (!root.TryGetProperty("node", out var name) || name.ValueKind != JsonValueKind.String
            || name.GetString() is not { Length: > 0 } named || named.Contains(Wildcard, StringComparison.Ordinal))
            return Refused(ControlResult.BadCommand, "has no \"node\" that is the name of one node; there is no list and no wildcard");
        // Only the named node checks the rest: it may run another version.
        if (named != node)
            return new ControlCommand(ControlVerb.None);
        if (root.EnumerateObject().Any(member => !member.NameEquals("command"u8) && !member.NameEquals("node"u8)))
            return Refused(ControlResult.BadCommand, "has an unknown member; a command has \"command\" and \"node\"");
        if (root.TryGetProperty("command", out var command) && command.ValueKind == JsonValueKind.String)
        {
            if (command.ValueEquals("drain"u8))
                return new ControlCommand(ControlVerb.Drain);
            if (command.ValueEquals("undrain"u8))
                return new ControlCommand(ControlVerb.Undrain);
        }

        return Refused(ControlResult.BadCommand, "has no \"command\" that is \"drain\" or \"undrain\"");
    }

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
}
