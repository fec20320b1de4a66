using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace PushLoad.Publishing;

/// <summary>
/// PUBLISH to the channels of rooms or users, in RESP on its own socket. The messages of a call leave as one pipeline while their answers are read. A broken
/// connection fails the call; the next call connects again.
/// </summary>
internal sealed class RedisTarget(string host, int port, string channelPrefix) : IPublishTarget
{
    // A stopped Redis process keeps its sockets open and never answers.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly MemoryStream _request = new();
    private readonly byte[] _answers = new byte[4096];
    private readonly StringBuilder _line = new();
    private TcpClient? _client;

    public async Task<PublishAnswer> PublishAsync(string name, IReadOnlyList<ReadOnlyMemory<byte>> messages, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        var confirmed = 0;
        try
        {
            if (_client is null)
            {
                _client = new TcpClient { NoDelay = true };
                await _client.ConnectAsync(host, port, patience.Token);
            }

            WriteRequest(Encoding.UTF8.GetBytes(channelPrefix + name), messages);
            // Answers are read while this writes; otherwise a pipeline larger than the socket buffers would deadlock.
            var sending = _client.GetStream().WriteAsync(_request.GetBuffer().AsMemory(0, (int)_request.Length), patience.Token).AsTask();
            string? failure = null;
            var answered = 0;
            while (answered < messages.Count)
            {
                var received = await _client.GetStream().ReadAsync(_answers, patience.Token);
                if (received == 0)
                    return Broken(confirmed, "Redis closed the connection");
                for (var i = 0; i < received; i++)
                {
                    if (_answers[i] != '\n')
                    {
                        _line.Append((char)_answers[i]);
                        continue;
                    }

                    var line = _line.ToString().TrimEnd('\r');
                    _line.Clear();
                    answered++;
                    if (!line.StartsWith(':'))
                        failure ??= line;
                    else if (failure is null)
                        confirmed++;
                }
            }

            await sending;
            return new PublishAnswer(confirmed, failure);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return Broken(confirmed, "Redis unavailable"); // Expected while it restarts.
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Broken(confirmed, "no answer from Redis in time");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        await _request.DisposeAsync();
    }

    private PublishAnswer Broken(int confirmed, string failure)
    {
        _client?.Dispose();
        _client = null;
        _line.Clear();
        return new PublishAnswer(confirmed, failure);
    }

    private void WriteRequest(byte[] channel, IReadOnlyList<ReadOnlyMemory<byte>> messages)
    {
        _request.SetLength(0);
        foreach (var message in messages)
        {
            Write(string.Create(CultureInfo.InvariantCulture, $"*3\r\n$7\r\nPUBLISH\r\n${channel.Length}\r\n"));
            _request.Write(channel);
            Write(string.Create(CultureInfo.InvariantCulture, $"\r\n${message.Length}\r\n"));
            _request.Write(message.Span);
            Write("\r\n");
        }
    }

    private void Write(string text) => _request.Write(Encoding.ASCII.GetBytes(text));
}

/// <summary>The form "host:port".</summary>
internal static class RedisAddress
{
    public static bool IsValid(string text) =>
        text.LastIndexOf(':') is > 0 and var colon
        && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
        && port > 0;

    public static (string Host, int Port) Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        return (text[..colon], int.Parse(text.AsSpan(colon + 1), CultureInfo.InvariantCulture));
    }
}
