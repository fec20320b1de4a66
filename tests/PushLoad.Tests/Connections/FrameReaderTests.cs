using PushLoad.Connections;
using PushLoad.Formats;
using PushLoad.Messages;

namespace PushLoad.Tests.Connections;

public sealed class FrameReaderTests
{
    /// <summary>Complete frames, copies of a known frame, and frames that begin like a known one and end differently, cut anywhere.</summary>
    [Fact]
    public void Frames_survive_any_cutting_of_the_byte_stream()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 2000; round++)
        {
            var handler = new Recorder(random);
            var stream = new List<byte>();
            for (var i = 0; i < 8; i++)
                stream.AddRange(handler.NewFrame());

            var reader = new FrameReader(deflates: false);
            for (var at = 0; at < stream.Count;)
            {
                var length = Math.Min(stream.Count - at, random.Next(4) == 0 ? random.Next(1, 400) : random.Next(1, 9));
                Assert.True(reader.Read(stream.Slice(at, length).ToArray(), handler));
                at += length;
            }

            Assert.Equal(handler.Sent, handler.Received);
        }
    }

    [Theory]
    [InlineData(0x81, 0x80)] // Masked.
    [InlineData(0xC1, 0x00)] // A reserved bit: RSV1, without permessage-deflate,
    [InlineData(0xA1, 0x00)] // RSV2.
    public void Reading_ends_at_a_masked_frame_or_a_reserved_bit(byte first, byte second) =>
        Assert.False(new FrameReader(deflates: false).Read([first, second], new Recorder(new Random(1))));

    private sealed class Recorder(Random random) : IFrameHandler
    {
        private static readonly Batch SomeBatch = Batch.TryParse("[]"u8, 1, 0, 0)!;

        private readonly LoadRoom _room = new(0, "room", messagePack: false);

        public List<string> Sent { get; } = [];

        public List<string> Received { get; } = [];

        /// <summary>Half of the frames are known from another connection; half of the others begin like a known one.</summary>
        public byte[] NewFrame()
        {
            var payload = Enumerable.Range(0, random.Next(4) * 60).Select(_ => (byte)random.Next('a', 'c')).ToArray();
            byte[] length = payload.Length < 126 ? [(byte)payload.Length] : [126, (byte)(payload.Length >> 8), (byte)payload.Length];
            byte[] frame = [0x81, .. length, .. payload];
            if (random.Next(2) == 0)
                Know(frame);
            else if (payload.Length > 0 && random.Next(2) == 0)
                Know([.. frame[..^1], (byte)'z']);
            Sent.Add(Convert.ToHexString(frame));
            return frame;
        }

        public bool OnFrame(FrameHeader header, ReadOnlySpan<byte> frame)
        {
            Received.Add(Convert.ToHexString(frame));
            return true;
        }

        public bool OnKnownFrame(RoomFrame frame)
        {
            Received.Add(Convert.ToHexString(frame.Bytes));
            return true;
        }

        public RoomFrame? FindFrame(ReadOnlySpan<byte> beginning) => _room.Find(beginning);

        private void Know(byte[] frame) => _room.Keep(new RoomFrame(frame, _room, SomeBatch), new PushLoad.Measurement.Histogram());
    }
}
