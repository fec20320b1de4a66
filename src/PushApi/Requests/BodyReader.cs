using PushApi.Problems;
using PushApi.Publishing;

namespace PushApi.Requests;

/// <summary>
/// Reads request bodies whole, within the limits. A body over the limit is refused without reading the rest, which Kestrel then discards up to
/// <see cref="KestrelLimit"/>: a client that is still sending gets to read the answer instead of a reset. One per process, called from any request thread.
/// </summary>
internal sealed class BodyReader(PushApiSettings settings, PendingBytes pending)
{
    // Most bodies are smaller; a larger one grows as its bytes come, so that announcing a length alone takes no memory.
    private const int FirstBuffer = 4096;

    /// <summary>What Kestrel discards of a refused body, beyond the limit. A client that sends even more is cut off.</summary>
    private const long MaxDiscarded = 16 * 1024 * 1024;

    /// <summary>The longest body, in bytes with its chunks' framing, that Kestrel lets through to be read or discarded.</summary>
    public static long KestrelLimit(PushApiSettings settings) => settings.MaxBodyBytes + MaxDiscarded;

    /// <summary>The answer while too much is pending.</summary>
    public static Problem TooMuchPending() => new(
        ProblemType.TooMuchPending,
        "The API holds as many unpublished bytes as it may (PushApi:MaxPendingBytes); try again shortly. Nothing was published.");

    /// <summary>Reads the body; the caller disposes it once the request is answered.</summary>
    /// <returns>The body, or what is wrong with it. Throws what Kestrel throws when the client is gone.</returns>
    public async Task<(RequestBody? Body, Problem? Problem)> ReadAsync(HttpContext context)
    {
        var body = new RequestBody(pending);
        Problem? problem;
        try
        {
            problem = await FillAsync(body, context);
        }
        catch (BadHttpRequestException refused)
        {
            problem = Explain(refused);
        }
        catch (IOException overflow) when (overflow.InnerException is OverflowException)
        {
            // What Kestrel throws, in place of a BadHttpRequestException, at a chunk size that does not fit into its integer. Where the next request begins is unknown.
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

        return body.Bytes.IsEmpty
            ? new Problem(ProblemType.NoMessages, "The body is empty; it has to hold at least one message.")
            : null;
    }

    /// <summary>Doubles, up to one byte more than the announced length: the spare byte is where the end is noticed.</summary>
    private static int NextCapacity(int capacity, long? contentLength)
    {
        var next = Math.Max(FirstBuffer, capacity * 2L);
        return (int)(contentLength >= capacity ? Math.Min(next, contentLength.Value + 1) : next);
    }

    private Problem TooLarge() => new(ProblemType.BodyTooLarge, $"The body is larger than {settings.MaxBodyBytes} bytes. Nothing was published.")
    {
        Limit = settings.MaxBodyBytes,
    };

    private Problem Explain(BadHttpRequestException refused) => refused.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => TooLarge(),
        StatusCodes.Status408RequestTimeout => new Problem(ProblemType.BodyTimeout, "The body came too slowly. Nothing was published."),
        _ => Broken(),
    };

    private static Problem Broken() => new(ProblemType.BadBody, "The body's framing is broken: it ended early or has a malformed chunk. Nothing was published.");
}
