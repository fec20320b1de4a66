using PushNode.WebSocket;

namespace PushNode.Tests.WebSocket;

public sealed class FrameWriterTests
{
    [Theory]
    [InlineData(0, new byte[] { 0x81, 0 })]
    [InlineData(1, new byte[] { 0x81, 1 })]
    [InlineData(125, new byte[] { 0x81, 125 })]
    [InlineData(126, new byte[] { 0x81, 126, 0, 126 })]
    [InlineData(127, new byte[] { 0x81, 126, 0, 127 })]
    [InlineData(65_535, new byte[] { 0x81, 126, 255, 255 })]
    [InlineData(65_536, new byte[] { 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0 })]
    public void A_frame_has_the_shortest_header_and_its_payload(int length, byte[] header)
    {
        var payload = Enumerable.Range(0, length).Select(i => (byte)i).ToArray();
        Assert.Equal([.. header, .. payload], FrameWriter.Write(Opcode.Text, payload));
    }

    [Fact]
    public void Control_frames_follow_rfc_6455()
    {
        Assert.Equal([0x89, 0], ControlFrames.Ping());
        Assert.Equal([0x8A, 2, 7, 8], ControlFrames.Pong([7, 8]));
        Assert.Equal([0x88, 5, 0x03, 0xE9, (byte)'b', (byte)'y', (byte)'e'], ControlFrames.Close(1001, "bye"));
        Assert.Equal([0x88, 0], ControlFrames.CloseEcho([]));
        Assert.Equal([0x88, 2, 0x03, 0xE8], ControlFrames.CloseEcho([0x03, 0xE8, (byte)'x']));
    }
}
