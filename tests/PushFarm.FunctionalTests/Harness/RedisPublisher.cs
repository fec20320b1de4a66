using System.Globalization;
using System.Net.Sockets;
using System.Text;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>Publishes to Redis over one connection of its own: any bytes, and thousands of messages a second. For one caller at a time.</summary>
internal sealed class RedisPublisher : IAsyncDisposable
{
    private readonly TcpClient _socket = new() { NoDelay = true };
    private StreamReader _answers = null!;

    public static async Task<RedisPublisher> ConnectAsync(RedisProcess redis)
    {
        var publisher = new RedisPublisher();
        await publisher._socket.ConnectAsync("127.0.0.1", redis.Port);
        publisher._answers = new StreamReader(publisher._socket.GetStream(), Encoding.ASCII);
        return publisher;
    }

    /// <summary>Publishes one payload.</summary>
    /// <returns>How many subscribers it reached.</returns>
    public async Task<int> PublishAsync(string channel, byte[] payload) => (await PublishAsync(channel, [payload]))[0];

    public Task<int> PublishAsync(string channel, string payload) => PublishAsync(channel, Encoding.UTF8.GetBytes(payload));

    /// <summary>Publishes payloads in order, all on their way before the first answer is awaited.</summary>
    /// <returns>How many subscribers each reached.</returns>
    public async Task<IReadOnlyList<int>> PublishAsync(string channel, IReadOnlyList<byte[]> payloads)
    {
        var sending = SendAsync(Encoding.UTF8.GetBytes(channel), payloads);
        var reached = new List<int>(payloads.Count);
        while (reached.Count < payloads.Count)
        {
            var line = await _answers.ReadLineAsync(TestContext.Current.CancellationToken) ?? throw new IOException("Redis closed the connection.");
            reached.Add(line is [':', .. var number] ? int.Parse(number, CultureInfo.InvariantCulture) : throw new IOException($"Redis answered {line}"));
        }

        await sending;
        return reached;
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task SendAsync(byte[] channel, IReadOnlyList<byte[]> payloads)
    {
        using var commands = new MemoryStream();
        foreach (var payload in payloads)
        {
            commands.Write(Encoding.ASCII.GetBytes($"*3\r\n$7\r\nPUBLISH\r\n${channel.Length}\r\n"));
            commands.Write(channel);
            commands.Write(Encoding.ASCII.GetBytes($"\r\n${payload.Length}\r\n"));
            commands.Write(payload);
            commands.Write("\r\n"u8);
        }

        await _socket.GetStream().WriteAsync(commands.GetBuffer().AsMemory(0, (int)commands.Length));
    }
}
