using System.Net;
using System.Net.Http.Headers;
using PushLoad.Measurement;

namespace PushLoad.Publishing;

/// <summary>
/// The HTTP API (docs/http-api.md): one request per call, one message as JSON, several as lines. A request that fails for a cause that may pass is
/// repeated with the same Idempotency-Key, so that its messages exist once.
/// </summary>
/// <param name="api">Its address.</param>
/// <param name="key">The publisher's key; null without one.</param>
/// <param name="topics">What the messages go to: <c>rooms</c> or <c>users</c>.</param>
/// <param name="retryFor">How long a request is repeated; zero for not at all.</param>
internal sealed class HttpTarget(Uri api, string? key, string topics, TimeSpan retryFor) : IPublishTarget
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly MediaTypeHeaderValue JsonLines = new("application/x-ndjson");
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(100);

    private readonly HttpClient _client = Client(api, key);

    public async Task<PublishAnswer> PublishAsync(string name, IReadOnlyList<ReadOnlyMemory<byte>> messages, CancellationToken cancellation)
    {
        var path = new Uri($"v1/{topics}/{Uri.EscapeDataString(name)}/messages", UriKind.Relative);
        var lines = Lines(messages);
        var once = retryFor > TimeSpan.Zero ? Guid.NewGuid().ToString() : null;
        var giveUp = Clock.Now + (long)retryFor.TotalMicroseconds;
        for (var retries = 0; ; retries++)
        {
            var (failure, mayPass) = await TryAsync(path, lines, messages.Count == 1 ? Json : JsonLines, once, cancellation);
            if (failure is null)
                return new PublishAnswer(messages.Count, null) { Retries = retries };
            if (!mayPass || Clock.Now >= giveUp || cancellation.IsCancellationRequested)
                return new PublishAnswer(0, failure) { Retries = retries };
            await Task.Delay(BetweenAttempts, cancellation);
        }
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <returns>Why it failed, null if it did not, and whether the cause may pass.</returns>
    private async Task<(string? Failure, bool MayPass)> TryAsync(
        Uri path, byte[] lines, MediaTypeHeaderValue type, string? once, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(lines) };
        request.Content.Headers.ContentType = type;
        if (once is not null)
            request.Headers.Add("Idempotency-Key", once);
        try
        {
            using var answer = await _client.SendAsync(request, cancellation);
            return answer.IsSuccessStatusCode ? default : ($"HTTP {(int)answer.StatusCode}", MayPass(answer.StatusCode));
        }
        catch (HttpRequestException e)
        {
            return (e.HttpRequestError.ToString(), true); // Expected while the API is unavailable.
        }
        catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return ("no answer in time", true); // Expected while the API is unavailable.
        }
    }

    private static bool MayPass(HttpStatusCode status) => status is HttpStatusCode.TooManyRequests
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    private static HttpClient Client(Uri api, string? key)
    {
        // The API answers within two seconds.
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = api, Timeout = TimeSpan.FromSeconds(10) };
        if (key is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return client;
    }

    private static byte[] Lines(IReadOnlyList<ReadOnlyMemory<byte>> messages)
    {
        var lines = new byte[messages.Sum(message => message.Length + 1) - 1];
        var at = 0;
        foreach (var message in messages)
        {
            if (at > 0)
                lines[at++] = (byte)'\n';
            message.CopyTo(lines.AsMemory(at));
            at += message.Length;
        }

        return lines;
    }
}
