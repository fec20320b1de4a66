using System.Text.Json;
using PushBackplane;
using PushNode.Access;

namespace PushNode.LiveRoom;

/// <summary>
/// <c>POST /live/token</c>: gives a reader of the live room a token for the name in <c>{"name":"..."}</c>, which the reader chooses. Stateless;
/// any thread.
/// </summary>
internal sealed class LiveRoomToken(GuestTokens tokens)
{
    /// <summary>The longest name has 128 bytes, which are up to 768 as escapes.</summary>
    private const int MaxBodyBytes = 1024;

    public async Task AnswerAsync(HttpContext context)
    {
        var (name, error) = Read(await ReadBodyAsync(context));
        if (error is null)
        {
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.WriteAsJsonAsync(new { token = tokens.Make(name) }, context.RequestAborted);
        }
        else
        {
            await TypedResults.Problem(error, statusCode: StatusCodes.Status400BadRequest).ExecuteAsync(context);
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpContext context)
    {
        var buffer = new byte[MaxBodyBytes];
        var length = await context.Request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, context.RequestAborted);
        return buffer.AsMemory(0, length);
    }

    private static (UserId Name, string? Error) Read(ReadOnlyMemory<byte> body)
    {
        string? text;
        try
        {
            text = JsonSerializer.Deserialize<Wanted>(body.Span, JsonSerializerOptions.Web)?.Name;
        }
        catch (JsonException)
        {
            text = null; // Expected: not JSON, or longer than any name.
        }

        if (text is null)
            return (default, """The body is not a name; it accepts JSON like {"name":"alice"}.""");
        return UserId.TryParse(text, out var name, out var error) ? (name, null) : (default, $"The name {error}.");
    }

    private sealed record Wanted(string? Name);
}
