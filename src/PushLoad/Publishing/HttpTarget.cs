using System.Net.Http.Headers;

namespace PushLoad.Publishing;

/// <summary>The HTTP API (docs/http-api.md): one request per call, one message as JSON, several as lines.</summary>
internal sealed class HttpTarget(Uri api) : IPublishTarget
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly MediaTypeHeaderValue JsonLines = new("application/x-ndjson");

    // The API answers within two seconds.
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = api, Timeout = TimeSpan.FromSeconds(10) };

    public async Task<PublishAnswer> PublishAsync(string room, IReadOnlyList<ReadOnlyMemory<byte>> messages, CancellationToken cancellation)
    {
        using var content = new ByteArrayContent(Lines(messages));
        content.Headers.ContentType = messages.Count == 1 ? Json : JsonLines;
        try
        {
            var path = new Uri($"v1/rooms/{Uri.EscapeDataString(room)}/messages", UriKind.Relative);
            using var answer = await _client.PostAsync(path, content, cancellation);
            return answer.IsSuccessStatusCode ? new PublishAnswer(messages.Count, null) : new PublishAnswer(0, $"HTTP {(int)answer.StatusCode}");
        }
        catch (HttpRequestException e)
        {
            return new PublishAnswer(0, e.HttpRequestError.ToString()); // Expected while the API is unavailable.
        }
        catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new PublishAnswer(0, "no answer in time"); // Expected while the API is unavailable.
        }
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
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
