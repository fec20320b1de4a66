using System.Text;
using BenchmarkDotNet.Attributes;
using PushNode.WebSocket;

namespace RedisPush.MicroBenchmarks;

/// <summary>Parsing a client's frames.</summary>
public class Parse
{
    private readonly MessageReader _reader = new(4096);
    private readonly byte[] _pong = ClientFrame(0x8A, "");
    private readonly byte[] _ping = ClientFrame(0x81, """{"type":"PING","data":{}}""");
    private readonly byte[] _large = ClientFrame(0x81, new string('x', 4096));

    /// <summary>The answer to a WebSocket ping: most clients send nothing else.</summary>
    [Benchmark]
    public int Pong() => Read(_pong);

    /// <summary>A short text message.</summary>
    [Benchmark]
    public int Ping() => Read(_ping);

    /// <summary>The longest message.</summary>
    [Benchmark]
    public int FourKilobytes() => Read(_large);

    /// <summary>A short message that arrives in two pieces.</summary>
    [Benchmark]
    public int PingInTwoPieces() => Read(_ping.AsSpan(0, 10)) + Read(_ping.AsSpan(10));

    private int Read(Span<byte> bytes)
    {
        var input = _reader.Resume(bytes);
        var length = 0;
        while (_reader.TryRead(ref input, out _, out var payload))
            length += payload.Length;
        _reader.Keep(input);
        return length;
    }

    /// <summary>Masked with zeros: unmasking in place does its work, and the bytes can be parsed again.</summary>
    private static byte[] ClientFrame(byte first, string text)
    {
        var payload = Encoding.UTF8.GetBytes(text);
        byte[] length = payload.Length < 126 ? [(byte)(0x80 | payload.Length)] : [0x80 | 126, (byte)(payload.Length >> 8), (byte)payload.Length];
        return [first, .. length, 0, 0, 0, 0, .. payload];
    }
}
