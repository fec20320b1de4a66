using System.Text;
using BenchmarkDotNet.Attributes;
using PushNode.WebSocket;

namespace RedisPush.MicroBenchmarks;

/// <summary>Deflating a batch of chats, once for all its members, and inflating one client's message.</summary>
public class Deflate
{
    private const string Words =
        "hello the stream was great lol gg thanks for playing what a match did you see that goal nice one from me wow really good luck everyone "
        + "tonight who is winning now can somebody explain the rules again 你好 世界 很好 加油 主播 今天 真的 привет как дела спасибо hola gracias muy bien 🎉 😂";

    private byte[] _batch = [];
    private byte[] _message = [];

    /// <summary>Chats in the batch.</summary>
    [Params(10, 100, 1_000)]
    public int Chats { get; set; }

    /// <summary>zlib's level.</summary>
    [Params(1, 6, 9)]
    public int Level { get; set; }

    /// <summary>Creates the batch, always the same, and a message as a client sends it.</summary>
    [GlobalSetup]
    public void Make()
    {
        var random = new Random(42);
        var words = Words.Split(' ');
        var chats = Enumerable.Range(0, Chats).Select(_ =>
        {
            // The first words are the most frequent.
            var text = Enumerable.Range(0, random.Next(3, 14)).Select(_ => words[(int)(words.Length * Math.Pow(random.NextDouble(), 1.5))]);
            return $$"""{"id":{{1_700_000_000 + random.Next(1_000_000)}},"user":"user_{{random.Next(200)}}","text":"{{string.Join(' ', text)}}"}""";
        });
        _batch = Encoding.UTF8.GetBytes($$$"""{"type":"PUSH","data":{"room":"demo","items":[{{{string.Join(',', chats)}}}]}}""");
        _message = DeflatedFrame.TryWrite(Opcode.Text, _batch, Level) is { } frame ? FrameWriter.PayloadOf(frame).ToArray() : [];
        Console.WriteLine($"// {Chats} chats at level {Level}: {_batch.Length} bytes, deflated {_message.Length}");
    }

    /// <summary>Deflates the batch into a whole frame.</summary>
    [Benchmark]
    public int Write() => DeflatedFrame.TryWrite(Opcode.Text, _batch, Level)?.Length ?? 0;

    /// <summary>Inflates it again.</summary>
    [Benchmark]
    public int Read()
    {
        Inflater.Inflate(_message, 1_048_576, out var message);
        return message.Length;
    }
}
