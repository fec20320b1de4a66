using System.Text.Json;
using PushApi.Problems;
using PushBackplane;
using PushBackplane.Restrictions;

namespace PushApi.Requests;

/// <summary>
/// The body of a route that does something to a user: an object with some of <c>{"seconds":600,"reason":"...","room":"demo"}</c>, and no other
/// members.
/// </summary>
/// <param name="Seconds">How long it lasts.</param>
/// <param name="Reason">Why, for the user; null if there is none.</param>
/// <param name="Room">Where; null for everywhere.</param>
internal readonly record struct UserBody(int? Seconds, string? Reason, RoomId? Room)
{
    /// <summary>The members' names.</summary>
    public const string SecondsField = "seconds";

    /// <inheritdoc cref="SecondsField"/>
    public const string ReasonField = "reason";

    /// <inheritdoc cref="SecondsField"/>
    public const string RoomField = "room";

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 4 };

    /// <summary>Reads a body.</summary>
    /// <param name="body">Its bytes.</param>
    /// <param name="accepted">The members that the route accepts.</param>
    /// <param name="read">The body, when nothing is wrong.</param>
    /// <returns>What is wrong, or null.</returns>
    public static Problem? Read(Memory<byte> body, IReadOnlyList<string> accepted, out UserBody read)
    {
        read = default;
        if (Utf8Check.Find(body.Span, Place.Body) is { } notUtf8)
            return notUtf8;
        try
        {
            using var document = JsonDocument.Parse(body, Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? Read(document.RootElement, accepted, out read)
                : Bad($"The body is not an object; {Accepts(accepted)}.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Expected: not JSON, a member twice, or half a surrogate pair.
            return Bad($"The body is not one JSON object with each member once; {Accepts(accepted)}.");
        }
    }

    private static Problem? Read(JsonElement root, IReadOnlyList<string> accepted, out UserBody read)
    {
        read = default;
        foreach (var member in root.EnumerateObject())
        {
            if (!accepted.Contains(member.Name))
                return Bad($"The body has a member {Problem.Quote(member.Name)}; {Accepts(accepted)}.");
            if (member.Name == SecondsField)
            {
                var most = (int)Restriction.Longest.TotalSeconds;
                if (member.Value.ValueKind != JsonValueKind.Number || !member.Value.TryGetInt32(out var seconds) || seconds < 1 || seconds > most)
                    return Bad($"{SecondsField} is not a whole number from 1 to {most}.", SecondsField);
                read = read with { Seconds = seconds };
            }
            else if (member.Value.ValueKind != JsonValueKind.String || member.Value.GetString() is not { } text)
            {
                return Bad($"{member.Name} is not text.", member.Name);
            }
            else if (member.Name == ReasonField)
            {
                if (!Restriction.IsReason(text))
                    return Bad($"{ReasonField} is not 1 to {Restriction.MaxReasonBytes} bytes of UTF-8 without control characters.", ReasonField);
                read = read with { Reason = text };
            }
            else if (!RoomId.TryParse(text, out var room, out var error))
            {
                return new Problem(ProblemType.BadRoom, $"{RoomField} {error}.", Place.AtField(RoomField));
            }
            else
            {
                read = read with { Room = room };
            }
        }

        return null;
    }

    private static string Accepts(IReadOnlyList<string> accepted) => $"this route accepts an object with {string.Join(", ", accepted)}";

    private static Problem Bad(string fault, string? field = null) => new(ProblemType.BadBody, fault, Place.AtField(field));
}
