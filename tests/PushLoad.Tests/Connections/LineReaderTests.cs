using System.Text;
using PushLoad.Connections;
using PushLoad.Measurement;
using PushLoad.Messages;

namespace PushLoad.Tests.Connections;

public sealed class LineReaderTests
{
    /// <summary>Messages, copies of a known message, messages that begin like a known one and end differently, signs of life, cut anywhere.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Messages_survive_any_cutting_of_the_body(bool events)
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 3000; round++)
        {
            var handler = new Recorder(random, events);
            var body = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 8).Select(_ => handler.NewMessage())));
            var reader = new LineReader(events);
            for (var at = 0; at < body.Length;)
            {
                var length = Math.Min(body.Length - at, random.Next(4) == 0 ? random.Next(1, 400) : random.Next(1, 9));
                Assert.True(reader.Read(body.AsSpan(at, length), handler));
                at += length;
            }

            Assert.Equal(handler.Sent, handler.Received);
        }
    }

    private sealed class Recorder(Random random, bool events) : ILineHandler
    {
        private static readonly Batch SomeBatch = Batch.TryParse("[]"u8, 1, 0, 0)!;

        private readonly LoadRoom _room = new(0, "room", messagePack: false);

        public List<string> Sent { get; } = [];

        public List<string> Received { get; } = [];

        public string NewMessage()
        {
            if (random.Next(4) == 0)
                return Add(events && random.Next(2) == 0 ? ":alive\n" : "\n");
            var text = new string([.. Enumerable.Range(0, 1 + (random.Next(4) * 60)).Select(_ => (char)random.Next('a', 'c'))]);
            var end = events ? "\n\n" : "\n";
            if (events && random.Next(2) == 0)
                text += "\nb";
            if (random.Next(2) == 0)
                Know(text + end);
            else if (random.Next(2) == 0)
                Know($"{text[..^1]}z{end}");
            return Add(text + end);
        }

        public bool OnMessage(ReadOnlySpan<byte> message)
        {
            Received.Add(Encoding.ASCII.GetString(message));
            return true;
        }

        public bool OnKnownMessage(RoomFrame frame) => OnMessage(frame.Bytes);

        public RoomFrame? FindCommon(ReadOnlySpan<byte> bytes) => _room.FindCommon(bytes);

        private string Add(string message)
        {
            Sent.Add(message);
            return message;
        }

        private void Know(string message) => _room.Keep(new RoomFrame(Encoding.ASCII.GetBytes(message), _room, SomeBatch), new Histogram());
    }
}
