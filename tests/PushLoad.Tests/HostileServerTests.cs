using System.IO.Compression;
using System.Text;
using PushLoad.Formats;
using PushLoad.Tests.Support;

namespace PushLoad.Tests;

/// <summary>
/// A server that sends what none should: the first connection to it ends with a counted fault, the second stands, and the run is judged.
/// </summary>
public sealed class HostileServerTests
{
    /// <summary>The answer to the load generator's key, which is always the same.</summary>
    private const string Accept = "Sec-WebSocket-Accept: haP0s3ra5UNXGJxIuA4P1JA4ms0=";

    private static readonly byte[] Megabyte = [.. Enumerable.Repeat((byte)'a', 1 << 20)];

    public static TheoryData<string, string> Attacks => new()
    {
        { "ws --deflate bomb", Inflater.TooLong },
        { "ws --deflate garbage", Inflater.Invalid },
        { "msgpack --deflate context", Inflater.Invalid },
        { "ws reserved", "malformed frame" },
        { "ws text that is binary", "malformed frame" },
        { "ws endless frame", "malformed frame" },
        { "msgpack long array", "message that is not of the protocol" },
        { "msgpack nested", "message that is not of the protocol" },
        { "sse endless event", "message without an end" },
        { "sse carriage return", "message that is not of the protocol" },
        { "sse after close", "message after CLOSE" },
        { "sse without retry", "close event without the same retry field" },
        { "stream endless line", "message without an end" },
        { "stream endless size", "malformed chunk" },
        { "stream endless extension", "malformed chunk" },
        { "stream after the end", "malformed chunk" },
    };

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task A_hostile_server_is_a_counted_fault(string attack, string fault)
    {
        var options = attack.Split(' ').TakeWhile((word, index) => index == 0 || word.StartsWith('-')).ToArray();
        // The run begins with the JOINED, and is over soon: the fault comes before it.
        await using var server = ScriptedServer.Start(number => [Head(attack), .. number == 0 ? Bytes(attack) : [], Joined(attack)]);
        var url = options[0] is "ws" or "msgpack" ? $"ws://127.0.0.1:{server.Port}/ws" : $"http://127.0.0.1:{server.Port}/{options[0]}";
        var (exitCode, output) = await LoadGenerator.RunAsync([url, "--protocol", .. options, "--connections", "1", "--duration", "0.1"]);
        Assert.True(exitCode == 6, $"The exit code is {exitCode}:\n{output}");
        Assert.Matches($@"violation\s+│ {fault}: [1-9]", output);
    }

    /// <summary>The head of the answer.</summary>
    private static byte[] Head(string attack)
    {
        if (attack.StartsWith("stream", StringComparison.Ordinal))
            return [.. "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"u8];
        if (attack.StartsWith("sse", StringComparison.Ordinal))
            return [.. "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"u8];

        var fields = new StringBuilder($"HTTP/1.1 101 Switching Protocols\r\n{Accept}\r\n");
        if (attack.StartsWith("msgpack", StringComparison.Ordinal))
            fields.Append("Sec-WebSocket-Protocol: push.msgpack\r\n");
        if (attack.Contains("--deflate", StringComparison.Ordinal))
            fields.Append("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n");
        return Encoding.ASCII.GetBytes(fields.Append("\r\n").ToString());
    }

    private static byte[] Joined(string attack)
    {
        const string Json = """{"type":"JOINED","data":{"room":"load-0"}}""";
        return attack.Split(' ')[0] switch
        {
            "stream" => Chunk(Json + "\n"),
            "sse" => Chunk("event: joined\ndata: {\"room\":\"load-0\"}\n\n"),
            "msgpack" => Frame(0x82, MessagePackOf.Json(Json)),
            _ => Frame(0x81, Encoding.UTF8.GetBytes(Json)),
        };
    }

    private static IEnumerable<byte[]> Bytes(string attack) => attack switch
    {
        "ws --deflate bomb" => [Frame(0xC1, Deflated(Enumerable.Repeat(Megabyte, 65)))],
        "ws --deflate garbage" => [Frame(0xC1, [0xFF, 0xFF, 0xFF, 0xFF])],
        "msgpack --deflate context" => [Frame(0xC2, ReferenceToEarlierBytes)],
        "ws reserved" => [Frame(0xC1, "{}"u8)],
        "ws text that is binary" => [Frame(0x82, "{}"u8)],
        "ws endless frame" => [[0x81, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255]],
        "msgpack long array" => [Frame(0x82, [0xDD, 255, 255, 255, 255, 1])],
        "msgpack nested" => [Frame(0x82, [.. Enumerable.Repeat((byte)0x91, 60_000)])],
        "sse endless event" => [Chunk("data: "), .. Enumerable.Repeat(Chunk(Megabyte), 65)],
        "sse carriage return" => [Chunk("event: push\rdata: {}\n\n")],
        "sse after close" => [Chunk("retry: 7\nevent: close\ndata: {\"code\":1001,\"reason\":\"retry=7\"}\n\nevent: push\ndata: {}\n\n")],
        "sse without retry" => [Chunk("event: close\ndata: {\"code\":1001,\"reason\":\"retry=7\"}\n\n"), "0\r\n\r\n"u8.ToArray()],
        "stream endless line" => Enumerable.Repeat(Chunk(Megabyte), 65),
        "stream endless size" => ["000000000"u8.ToArray()],
        "stream endless extension" => ["1;"u8.ToArray(), Megabyte],
        // At once: a client that has read the end reads no more.
        "stream after the end" => ["0\r\n\r\nx"u8.ToArray()],
        _ => throw new ArgumentOutOfRangeException(nameof(attack), attack, null),
    };

    /// <summary>A block with fixed codes: the length 3 at a distance of 1, before any byte.</summary>
    private static byte[] ReferenceToEarlierBytes => [0x02, 0x02, 0x00];

    private static byte[] Deflated(IEnumerable<byte[]> parts)
    {
        using var deflated = new MemoryStream();
        using (var stream = new DeflateStream(deflated, CompressionLevel.Fastest, leaveOpen: true))
        {
            foreach (var part in parts)
                stream.Write(part);
        }

        return deflated.ToArray();
    }

    private static byte[] Chunk(string text) => Chunk(Encoding.UTF8.GetBytes(text));

    private static byte[] Chunk(byte[] bytes) => [.. Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), .. bytes, .. "\r\n"u8];

    private static byte[] Frame(byte first, ReadOnlySpan<byte> payload) => payload.Length switch
    {
        < 126 => [first, (byte)payload.Length, .. payload],
        <= ushort.MaxValue => [first, 126, (byte)(payload.Length >> 8), (byte)payload.Length, .. payload],
        _ => [first, 127, 0, 0, 0, 0, 0, (byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length, .. payload],
    };
}
