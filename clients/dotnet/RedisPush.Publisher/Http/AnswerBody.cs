using System.Net;
using System.Text.Json;

namespace RedisPush.Publisher.Http;

/// <summary>What the API says in its answers. Safe on any bytes: another server may have answered.</summary>
internal static class AnswerBody
{
    /// <summary>Longer than any answer of the API, of which a page of messages is the longest; the rest of a longer one is not read.</summary>
    private const int MaxLength = 16 * 1024 * 1024;

    private const int FirstLength = 4096;

    public static async Task<byte[]> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var body = new byte[FirstLength];
        var length = 0;
        while (true)
        {
            var rest = body.AsMemory(length);
            var read = await stream.ReadAtLeastAsync(rest, rest.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            length += read;
            if (read < rest.Length || length == MaxLength)
                return body[..length];
            Array.Resize(ref body, Math.Min(2 * length, MaxLength));
        }
    }

    /// <summary>The answer to a publish that was confirmed; null for any other.</summary>
    public static Confirmation? ReadConfirmation(HttpResponseMessage answer, byte[] body) => answer.StatusCode == HttpStatusCode.Accepted && ReadResult(body) is { } result
        ? new Confirmation(result with { Replayed = answer.Headers.Contains("Idempotency-Replayed") }) : null;

    private static PublishResult? ReadResult(ReadOnlySpan<byte> body) => Read<PublishResult?>(body, answer =>
        Number(answer, "accepted") is { } accepted && Number(answer, "nodes") is { } nodes
            ? new PublishResult(accepted, nodes) { Position = Position(answer), Positions = Positions(answer)! }
            : null);

    private static RoomPosition? Position(JsonElement answer) =>
        Text(answer, "epoch") is { } epoch && Number(answer, "offset") is { } offset ? new RoomPosition(epoch, offset) : null;

    private static Dictionary<string, RoomPosition>? Positions(JsonElement answer)
    {
        if (!answer.TryGetProperty("positions", out var list) || list.ValueKind != JsonValueKind.Array)
            return null;
        var positions = new Dictionary<string, RoomPosition>(StringComparer.Ordinal);
        foreach (var one in list.EnumerateArray())
        {
            if (Text(one, "room") is { } room && Position(one) is { } position)
                positions[room] = position;
        }

        return positions;
    }

    /// <summary>Without members if it is not a problem.</summary>
    public static PublishProblem ReadProblem(ReadOnlySpan<byte> body) => Read(body, static problem => new PublishProblem
    {
        Type = Text(problem, "type"),
        Title = Text(problem, "title"),
        Detail = Text(problem, "detail"),
        Field = Text(problem, "field"),
        Item = (int?)Number(problem, "item"),
        Line = (int?)Number(problem, "line"),
        Limit = Number(problem, "limit"),
    }) ?? new PublishProblem();

    private static T? Read<T>(ReadOnlySpan<byte> body, Func<JsonElement, T?> read)
    {
        var reader = new Utf8JsonReader(body);
        try
        {
            var isObject = JsonElement.TryParseValue(ref reader, out var answer) && answer is { ValueKind: JsonValueKind.Object };
            return isObject ? read(answer!.Value) : default;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return default; // Expected: a page of a proxy, for example, or a name or a text with half a surrogate pair.
        }
    }

    private static string? Text(JsonElement answer, string name) =>
        answer.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static long? Number(JsonElement answer, string name) =>
        answer.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;
}

/// <summary>A confirmed publish.</summary>
internal sealed record Confirmation(PublishResult Result);
