using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;

namespace PushNode.Http;

/// <summary>The headers of a request that the node looks at.</summary>
internal enum RequestHeader
{
    Host,
    Connection,
    Upgrade,
    Origin,
    Authorization,
    ForwardedFor,
    WebSocketKey,
    WebSocketVersion,
    WebSocketProtocol,
    WebSocketExtensions,
}

/// <summary>
/// The head of a plain GET of HTTP/1.1, read from bytes that end with it. It understands less than a server must: no line that could be read in
/// two ways or has to be refused, nothing that announces a body, and none of the <see cref="RequestHeader"/>s empty or twice. Whatever it reads,
/// Kestrel reads in the same way; everything else is Kestrel's. Refers to the bytes; any thread.
/// </summary>
internal ref struct RequestHead
{
    /// <summary>Kestrel refuses a head with more than 100.</summary>
    private const int MaxHeaders = 64;

    // RFC 9110, 5.6.2.
    private static readonly SearchValues<byte> Token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    // Also names that a server would have to look at more closely are left to Kestrel.
    private static readonly SearchValues<byte> HostCharacters =
        SearchValues.Create("-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private ReadOnlySpan<byte> _bytes;
    private Places _places;

    /// <summary>Without its query, as it was sent.</summary>
    public ReadOnlySpan<byte> Path { get; private set; }

    /// <summary>With its question mark, as it was sent; empty if there is none.</summary>
    public ReadOnlySpan<byte> Query { get; private set; }

    /// <summary>A header's value; empty if there is none.</summary>
    public readonly ReadOnlySpan<byte> this[RequestHeader header]
    {
        get
        {
            var (start, length) = _places[(int)header];
            return _bytes.Slice(start, length);
        }
    }

    /// <summary>Reads a head.</summary>
    /// <returns>False if the bytes are anything else than one plain head.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out RequestHead head)
    {
        head = default;
        head._bytes = bytes;
        var rest = bytes;
        var line = bytes;
        if (!TryTakeLine(ref rest, out line) || !head.TryReadTarget(line))
            return false;
        for (var count = 0; count <= MaxHeaders; count++)
        {
            if (!TryTakeLine(ref rest, out line))
                return false;
            if (line.IsEmpty)
                return rest.IsEmpty && IsPlainHost(head[RequestHeader.Host]);
            if (!head.TryReadHeader(line))
                return false;
        }

        return false;
    }

    private static bool TryTakeLine(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> line)
    {
        var end = rest.IndexOf((byte)'\r');
        line = end < 0 ? default : rest[..end];
        if (end < 0 || !rest[end..].StartsWith("\r\n"u8))
            return false;
        rest = rest[(end + 2)..];
        return true;
    }

    private bool TryReadTarget(ReadOnlySpan<byte> line)
    {
        if (!line.StartsWith("GET /"u8) || !line.EndsWith(" HTTP/1.1"u8) || line.Length < "GET / HTTP/1.1".Length)
            return false;
        var target = line["GET ".Length..^" HTTP/1.1".Length];
        if (target.ContainsAnyExceptInRange((byte)'!', (byte)'~') || target.Contains((byte)'#'))
            return false;
        var path = target.IndexOf((byte)'?');
        Path = path < 0 ? target : target[..path];
        Query = path < 0 ? default : target[path..];
        return true;
    }

    private bool TryReadHeader(scoped ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        // A line that begins with a space continues the one before.
        if (colon <= 0 || line[..colon].ContainsAnyExcept(Token))
            return false;
        var value = line[(colon + 1)..].Trim((byte)' ');
        if (value.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
            return false;
        if (Find(line[..colon], out var isPlain) is not { } header)
            return isPlain;
        ref var place = ref _places[(int)header];
        if (place.Length > 0 || value.IsEmpty)
            return false;
        place = ((int)Unsafe.ByteOffset(in _bytes[0], in value[0]), value.Length);
        return true;
    }

    /// <summary>Finds a header by its name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="isPlain">Whether a plain GET may have it.</param>
    private static RequestHeader? Find(ReadOnlySpan<byte> name, out bool isPlain)
    {
        isPlain = true;
        switch (name.Length)
        {
            case 4 when Is(name, "Host"u8):
                return RequestHeader.Host;
            case 6 when Is(name, "Origin"u8):
                return RequestHeader.Origin;
            case 7 when Is(name, "Upgrade"u8):
                return RequestHeader.Upgrade;
            case 10 when Is(name, "Connection"u8):
                return RequestHeader.Connection;
            case 13 when Is(name, "Authorization"u8):
                return RequestHeader.Authorization;
            case 15 when Is(name, "X-Forwarded-For"u8):
                return RequestHeader.ForwardedFor;
            case 17 when Is(name, "Sec-WebSocket-Key"u8):
                return RequestHeader.WebSocketKey;
            case 21 when Is(name, "Sec-WebSocket-Version"u8):
                return RequestHeader.WebSocketVersion;
            case 22 when Is(name, "Sec-WebSocket-Protocol"u8):
                return RequestHeader.WebSocketProtocol;
            case 24 when Is(name, "Sec-WebSocket-Extensions"u8):
                return RequestHeader.WebSocketExtensions;
            case 6 when Is(name, "Expect"u8):
            case 14 when Is(name, "Content-Length"u8):
            case 17 when Is(name, "Transfer-Encoding"u8):
                isPlain = false;
                return null;
            default:
                return null;
        }
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> other) => Ascii.EqualsIgnoreCase(name, other);

    /// <summary>Whether it is a name or an IPv4 address, with or without a port.</summary>
    private static bool IsPlainHost(ReadOnlySpan<byte> host)
    {
        var colon = host.IndexOf((byte)':');
        var name = colon < 0 ? host : host[..colon];
        var port = colon < 0 ? "1"u8 : host[(colon + 1)..];
        return !name.IsEmpty && !name.ContainsAnyExcept(HostCharacters) && port.Length is > 0 and <= 5 && !port.ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }

    /// <summary>Where the value of each header is; a length of 0 if there is none.</summary>
    [InlineArray((int)RequestHeader.WebSocketExtensions + 1)]
    private struct Places
    {
        private (int Start, int Length) _first;
    }
}
