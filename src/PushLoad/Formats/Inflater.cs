using System.IO.Compression;

namespace PushLoad.Formats;

/// <summary>
/// Inflates messages of permessage-deflate (RFC 7692, 7.2.2), each on its own: a message that refers to an earlier one does not inflate. Keeps
/// its buffers; one thread.
/// </summary>
/// <param name="maxBytes">A message that becomes longer is refused.</param>
internal sealed class Inflater(int maxBytes) : IDisposable
{
    public const string Invalid = "deflated message that does not inflate";

    public const string TooLong = "deflated message that inflates to too much";

    private const int BytesToStartWith = 64 * 1024;
    private const int BytesToKeep = 4 * 1024 * 1024;

    private readonly MemoryStream _deflated = new();
    private byte[] _plain = new byte[BytesToStartWith];

    // The sender leaves out the end of an empty stored block. A final, empty block follows it, so that the end of the message is the end of the
    // stream, and zlib reports a message that ends in the middle.
    private static ReadOnlySpan<byte> Tail => [0x00, 0x00, 0xFF, 0xFF, 0x01, 0x00, 0x00, 0xFF, 0xFF];

    /// <param name="deflated">The payload of a message with RSV1.</param>
    /// <param name="plain">What it inflates to, valid until the next call.</param>
    /// <returns>Null, or <see cref="Invalid"/> or <see cref="TooLong"/>.</returns>
    public string? Inflate(ReadOnlySpan<byte> deflated, out ReadOnlySpan<byte> plain)
    {
        plain = default;
        if (_plain.Length > BytesToKeep)
            _plain = new byte[BytesToStartWith];
        _deflated.SetLength(0);
        _deflated.Write(deflated);
        _deflated.Write(Tail);
        _deflated.Position = 0;
        try
        {
            using var inflating = new DeflateStream(_deflated, CompressionMode.Decompress, leaveOpen: true);
            var count = 0;
            while (inflating.Read(_plain.AsSpan(count)) is > 0 and var read)
            {
                count += read;
                if (count > maxBytes)
                    return TooLong;
                if (count == _plain.Length)
                    Array.Resize(ref _plain, (int)Math.Min(2L * _plain.Length, maxBytes + 1L));
            }

            plain = _plain.AsSpan(0, count);
            return null;
        }
        catch (InvalidDataException)
        {
            return Invalid; // Expected: finding broken servers is this program's purpose.
        }
    }

    public void Dispose() => _deflated.Dispose();
}
