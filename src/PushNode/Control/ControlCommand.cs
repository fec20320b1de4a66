using System.Text.Json;
using PushBackplane;
using PushNode.Telemetry;

namespace PushNode.Control;

/// <summary>
/// One message of the control channel, read: <c>{"command":"drain","node":"name"}</c>. Anyone may publish there, so what is not exactly a command to this node changes nothing: a member that
/// this version does not know may have been meant to limit the command. No text of the message is kept.
/// </summary>
/// <param name="Verb">What is asked of this node.</param>
/// <param name="Refusal">Which kind of wrong it is, and a clause that says what it accepts; null when it is a command, to whomever.</param>
internal readonly record struct ControlCommand(ControlVerb Verb, (ControlResult Result, string Why)? Refusal = null)
{
    /// <summary>The longest message that is read. The longest command, each character of its name escaped, has 799 bytes.</summary>
    public const int MaxBytes = 4096;

    /// <summary>What a command cannot be told to: there is none that means everybody, lest one slip of the pen empties a farm.</summary>
    public const char Wildcard = '*';

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Reads a message; survives any bytes.</summary>
    /// <param name="payload">What was published.</param>
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
            // Expected: what IsJson lets through, a member given twice and a lone surrogate.
            return Refused(ControlResult.BadCommand, "has a member twice, or half a character");
        }
    }

    private static ControlCommand Read(JsonElement root, string node)
    {
        if (root.ValueKind != JsonValueKind.Object)
            return Refused(ControlResult.BadCommand, "is not a JSON object");
        if (!root.TryGetProperty("node", out var name) || name.ValueKind != JsonValueKind.String || name.GetString() is not { Length: > 0 } named || named.Contains(Wildcard, StringComparison.Ordinal))
            return Refused(ControlResult.BadCommand, "has no \"node\" that is the name of one node; there is no list and no wildcard");
        // The rest is for the named one to judge, whose version may be another.
        if (named != node)
            return new ControlCommand(ControlVerb.None);
        if (root.EnumerateObject().Any(member => !member.NameEquals("command"u8) && !member.NameEquals("node"u8)))
            return Refused(ControlResult.BadCommand, "has a member that is unknown; a command has \"command\" and \"node\"");
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

/// <summary>What a command may ask of a node.</summary>
internal enum ControlVerb
{
    /// <summary>Nothing: the command is another node's, or none at all.</summary>
    None,

    /// <summary>Leave the service, and keep running.</summary>
    Drain,

    /// <summary>Come back.</summary>
    Undrain,
}
