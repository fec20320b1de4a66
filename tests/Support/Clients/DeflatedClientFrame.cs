using System.IO.Compression;
using System.Text;

namespace TestSupport.Clients;

/// <summary>Deflates messages as a client sends them (RFC 7692, 7.2.1).</summary>
public static class DeflatedClientFrame
{
    private const int Rsv1 = 4;

    public static byte[] Text(string text) => Of(Deflate(Encoding.UTF8.GetBytes(text)));

    /// <summary>A message of deflated bytes, valid or not.</summary>
    public static byte[] Of(ReadOnlySpan<byte> deflated) => ClientFrame.Of(WsOpcode.Text, deflated, reserved: Rsv1);

    /// <summary>The same in fragments of this many bytes.</summary>
    public static byte[] InFragments(byte[] deflated, int bytes)
    {
        var frames = new List<byte>();
        for (var at = 0; at == 0 || at < deflated.Length; at += bytes)
        {
            var fragment = deflated.AsSpan(at, Math.Min(bytes, deflated.Length - at));
            frames.AddRange(ClientFrame.Of(at == 0 ? WsOpcode.Text : WsOpcode.Continuation, fragment, final: at + bytes >= deflated.Length, reserved: at == 0 ? Rsv1 : 0));
        }

        return [.. frames];
    }

    /// <summary>A message's deflated bytes, without what its sender removes from their end.</summary>
    public static byte[] Deflate(ReadOnlySpan<byte> bytes, int level = 6)
    {
        using var deflated = new MemoryStream();
        using var deflater = new DeflateStream(deflated, new ZLibCompressionOptions { CompressionLevel = level });
        deflater.Write(bytes);
        deflater.Flush();
        return deflated.ToArray()[..^4];
    }
}
