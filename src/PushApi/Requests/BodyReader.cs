using PushApi.Problems;
using PushApi.Settings;

namespace PushApi.Requests;

/// <summary>
/// Reads whole request bodies, within the limits. A body over the limit is refused without reading the rest. Kestrel then discards the
/// rest, up to <see cref="KestrelLimit"/>, so that a client that is still sending can read the answer instead of getting a reset. One per
/// process, called from any request thread.
/// </summary>
internal sealed class BodyReader(PushApiSettings settings, PendingBytes pending)
{
    // Most bodies are smaller. For larger ones the buffer grows as bytes arrive, so a client cannot take memory by announcing a length.
    private const int FirstBuffer = 4096;

    /// <summary>
    /// How many bytes of a refused body Kestrel discards beyond the limit. It closes the connection of a client that sends more.
    /// </summary>
    private const long MaxDiscarded = 16 * 1024 * 1024;

    /// <summary>The longest body that Kestrel accepts to be read or discarded, in bytes and including the framing of chunks.</summary>
    public static long KestrelLimit(PushApiSettings settings) => settings.MaxBodyBytes + MaxDiscarded;

    /// <summary>The problem while too much is pending.</summary>
    public static Problem TooMuchPending() => new(
        ProblemType.TooMuchPending,
        "The API holds as many unpublished bytes as it may (PushApi:MaxPendingBytes); retry shortly.");

    /// <summary>Reads the body. The caller disposes it once the request is answered.</summary>
    /// <returns>The body, or what is wrong with it. If the client has disconnected, Kestrel's exception passes through.</returns>
    public async Task<(RequestBody? Body, Problem? Problem)> ReadAsync(HttpContext context)
    {
        var body = new RequestBody(pending);
        Problem? problem;
        try
        {
            problem = await FillAsync(body, context);
        }
        catch (BadHttpRequestException e)
        {
            problem = Explain(e);
        }
        catch (IOException e) when (e.InnerException is OverflowException)
        {
            // Kestrel throws this, not a BadHttpRequestException, at a chunk size that overflows its integer. After it, the start of the
            // next request is unknown.
            context.Response.Headers.Connection = "close";
            problem = Broken();
        }
        catch
        {
            body.Dispose();
            throw;
        }

        if (problem is null)
            return (body, null);
        body.Dispose();
        return (null, problem);
    }

    private async Task<Problem?> FillAsync(RequestBody body, HttpContext context)
    {
        var length = context.Request.ContentLength;
        if (length > settings.MaxBodyBytes)
            return TooLarge();
        while (true)
        {
            if (body.Free.IsEmpty && !body.TryGrow(NextCapacity(body.Bytes.Length, length)))
                return TooMuchPending();

            var count = await context.Request.Body.ReadAsync(body.Free, context.RequestAborted);
            if (count == 0)
                break;
            body.Advance(count);
            if (body.Bytes.Length > settings.MaxBodyBytes)
                return TooLarge();
        }

        return body.Bytes.IsEmpty ? new Problem(ProblemType.NoMessages, "The body is empty.") : null;
    }

    /// <summary>Doubles, up to one byte more than the announced length; the read into the spare byte detects the end.</summary>
    private static int NextCapacity(int capacity, long? contentLength)
    {
        var next = Math.Max(FirstBuffer, capacity * 2L);
        return (int)(contentLength >= capacity ? Math.Min(next, contentLength.Value + 1) : next);
    }

    private Problem TooLarge() =>
        new(ProblemType.BodyTooLarge, $"The body is larger than {settings.MaxBodyBytes} bytes.", limit: settings.MaxBodyBytes);

    private Problem Explain(BadHttpRequestException e) => e.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => TooLarge(),
        StatusCodes.Status408RequestTimeout => new Problem(ProblemType.BodyTimeout, "The body arrived too slowly."),
        _ => Broken(),
    };

    private static Problem Broken() => new(ProblemType.BadBody, "The body's framing is broken: it ended early or has a malformed chunk.");
}
