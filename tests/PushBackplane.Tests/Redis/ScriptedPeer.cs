using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PushBackplane.Tests.Redis;

/// <summary>Listens in place of Redis and sends only what the test says. For one connection and one caller at a time.</summary>
internal sealed class ScriptedPeer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private Socket? _socket;

    public ScriptedPeer() => _listener.Start();

    /// <summary>"127.0.0.1:port".</summary>
    public string EndPoint => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public async Task AcceptAsync() => _socket = await TestSubscriber.InTimeAsync(_listener.AcceptSocketAsync());

    /// <summary>Reads until this text has arrived, whatever comes before it.</summary>
    public async Task HearsAsync(string text)
    {
        var heard = new StringBuilder();
        var buffer = new byte[4096];
        while (!heard.ToString().EndsWith(text, StringComparison.Ordinal))
        {
            var read = await TestSubscriber.InTimeAsync(_socket!.ReceiveAsync(buffer));
            Assert.True(read > 0, $"The connection ended after {heard}");
            heard.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
    }

    /// <summary>Waits until the other side has closed the connection.</summary>
    public async Task HearsTheEndAsync()
    {
        try
        {
            while (await TestSubscriber.InTimeAsync(_socket!.ReceiveAsync(new byte[4096])) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // A reset closes it too.
        }
    }

    public async Task SaysAsync(string text) => await _socket!.SendAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>Ends the stream.</summary>
    public void Finishes() => _socket!.Shutdown(SocketShutdown.Send);

    /// <summary>Cuts the connection with an RST.</summary>
    public void Resets()
    {
        _socket!.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    /// <summary>An array of strings, or of two strings and a number, as Redis sends it.</summary>
    public static string Reply(string kind, string channel, string last)
    {
        var tail = kind == "message" ? String(last) : $":{last}\r\n";
        return $"*3\r\n{String(kind)}{String(channel)}{tail}";
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _listener.Dispose();
    }

    private static string String(string text) => string.Create(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(text)}\r\n{text}\r\n");
}
