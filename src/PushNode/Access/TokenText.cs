using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace PushNode.Access;

/// <summary>
/// A token in compact form (RFC 7515, 7.1) taken apart: <c>header.payload.signature</c>, each in base64url. Every token has one spelling: no
/// padding, no white space, no bits left over. Nothing here throws, whatever the text.
/// </summary>
internal readonly ref struct TokenText
{
    /// <summary>The longest token, in characters. An AUTH with it fits <c>Push:Connections:MaxMessageBytes</c> only if that is raised a little.</summary>
    public const int MaxLength = 4096;

    /// <summary>The size of a buffer for any token: its characters and, decoded, its three parts.</summary>
    public const int BufferBytes = MaxLength + MaxLength / 4 * 3;

    private static readonly SearchValues<byte> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"u8);

    private readonly byte[] _buffer;

    private TokenText(byte[] buffer, int signed, Range header, Range payload, byte[] signature) =>
        (_buffer, SignedLength, HeaderRange, PayloadRange, Signature) = (buffer, signed, header, payload, signature);

    /// <summary>The header, decoded.</summary>
    public ReadOnlySpan<byte> Header => _buffer.AsSpan(HeaderRange);

    /// <summary>The claims, decoded.</summary>
    public ReadOnlySpan<byte> Payload => _buffer.AsSpan(PayloadRange);

    /// <summary>The number of bytes at the buffer's beginning that are signed.</summary>
    public int SignedLength { get; }

    /// <summary>The signature, decoded.</summary>
    public byte[] Signature { get; }

    private Range HeaderRange { get; }

    private Range PayloadRange { get; }

    /// <summary>Takes a token apart.</summary>
    /// <param name="text">The token.</param>
    /// <param name="buffer">Holds the parts: at least <see cref="BufferBytes"/>.</param>
    /// <param name="token">The parts, when the result is true. Valid as long as the buffer.</param>
    public static bool TryRead(ReadOnlySpan<char> text, byte[] buffer, out TokenText token)
    {
        token = default;
        if (text.Length > MaxLength || Ascii.FromUtf16(text, buffer, out var length) != OperationStatus.Done)
            return false;
        var ascii = buffer.AsSpan(0, length);
        var first = ascii.IndexOf((byte)'.');
        var last = ascii.LastIndexOf((byte)'.');
        var end = length;
        if (first < 0 || first == last
            || !TryDecode(buffer, 0..first, ref end, out var header)
            || !TryDecode(buffer, (first + 1)..last, ref end, out var payload)
            || !TryDecode(buffer, (last + 1)..length, ref end, out var signature))
            return false;
        token = new TokenText(buffer, last, header, payload, buffer[signature]);
        return true;
    }

    /// <summary>Decodes one part to the end of what is used of the buffer. An empty part is none.</summary>
    private static bool TryDecode(byte[] buffer, Range part, ref int end, out Range decoded)
    {
        decoded = default;
        var encoded = buffer.AsSpan(part);
        // The decoder would skip white space and accept padding; and a dot between the outer two makes it something else, a JWE for example.
        if (encoded.IsEmpty || encoded.ContainsAnyExcept(Alphabet)
            || Base64Url.DecodeFromUtf8(encoded, buffer.AsSpan(end), out _, out var written) != OperationStatus.Done)
            return false;
        decoded = end..(end + written);
        end += written;
        return true;
    }
}
