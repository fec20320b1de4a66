using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace PushLoad.Tests.Support;

/// <summary>A client of a <see cref="FaultyServer"/>, in its protocol. One call at a time.</summary>
internal abstract class FaultyMember
{
    /// <summary>The user of its token; null without one.</summary>
    public string? User { get; init; }

    /// <param name="json">The message as a WebSocket client gets it in a text frame.</param>
    public abstract Task SendAsync(string json);

    /// <summary>Ends the connection with code 1001 and a retry of 20 ms.</summary>
    public abstract Task CloseAsync();

    /// <summary>Waits until the connection has ended.</summary>
    public abstract Task WaitAsync(CancellationToken aborted);
}

/// <param name="socket">Its socket.</param>
/// <param name="messagePack">Whether it gets MessagePack.</param>
/// <param name="take">Takes what it sends.</param>
internal sealed class WebSocketMember(WebSocket socket, bool messagePack, Func<FaultyMember, JsonElement, Task> take) : FaultyMember
{
    public override async Task SendAsync(string json)
    {
        if (socket.State != WebSocketState.Open)
            return;
        var (bytes, type) = messagePack
            ? (MessagePackOf.Json(json), WebSocketMessageType.Binary)
            : (Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text);
        try
        {
            await socket.SendAsync(bytes, type, endOfMessage: true, CancellationToken.None);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Expected: the load generator has just cut the connection.
        }
    }

    public override Task CloseAsync() => socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, "retry=20", CancellationToken.None);

    public override async Task WaitAsync(CancellationToken aborted)
    {
        try
        {
            var buffer = new byte[1024];
            while (await socket.ReceiveAsync(buffer, aborted) is { MessageType: not WebSocketMessageType.Close } received)
            {
                if (received.MessageType == WebSocketMessageType.Text)
                    await take(this, JsonDocument.Parse(buffer.AsMemory(0, received.Count)).RootElement);
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // Expected: the load generator ends without a close frame.
        }
    }
}

/// <summary>Each message comes in two chunks, the first of which also has a sign of life.</summary>
internal sealed class HttpMember(HttpResponse response, bool events) : FaultyMember
{
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override async Task SendAsync(string json)
    {
        if (_closed.Task.IsCompleted)
            return;
        var message = (events ? ":\n\n" : "\n") + (events ? Event(json) : json + "\n");
        await WriteAsync(message[..(message.Length / 2)]);
        await WriteAsync(message[(message.Length / 2)..]);
    }

    public override async Task CloseAsync()
    {
        const string Data = """{"code":1001,"reason":"retry=20"}""";
        await WriteAsync(events ? $"retry: 20\n\nevent: close\ndata: {Data}\n\n" : $$"""{"type":"CLOSE","data":{{Data}}}""" + "\n");
        _closed.SetResult();
    }

    public override async Task WaitAsync(CancellationToken aborted)
    {
        var wasAborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = aborted.Register(wasAborted.SetResult);
        await Task.WhenAny(_closed.Task, wasAborted.Task);
    }

    private static string Event(string json)
    {
        using var message = JsonDocument.Parse(json);
        return message.RootElement.TryGetProperty("type", out var type)
            ? $"event: {type.GetString()!.ToLowerInvariant()}\ndata: {message.RootElement.GetProperty("data").GetRawText()}\n\n"
            : $"event: push\ndata: {json}, too\n\n";
    }

    private async Task WriteAsync(string text)
    {
        await response.WriteAsync(text, CancellationToken.None);
        await response.Body.FlushAsync(CancellationToken.None);
    }
}
