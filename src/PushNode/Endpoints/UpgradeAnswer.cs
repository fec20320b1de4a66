using System.Text;

namespace PushNode.Endpoints;

/// <summary>The bytes of a 101, in the order in which Kestrel writes its headers. Any thread.</summary>
internal sealed class UpgradeAnswer(TimeProvider time)
{
    private const int DateLength = 29;

    private Date _date = new(-1, []);

    /// <summary>Writes the head of the answer.</summary>
    /// <param name="key">The request's Sec-WebSocket-Key.</param>
    /// <param name="agreement">What was agreed on.</param>
    public byte[] Encode(ReadOnlySpan<char> key, in Agreement agreement)
    {
        Span<byte> head = stackalloc byte[512];
        var length = 0;
        Add(head, ref length, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nDate: "u8);
        Add(head, ref length, Now());
        Add(head, ref length, "\r\nUpgrade: websocket\r\n"u8);
        if (agreement.Subprotocol is { } subprotocol)
            Add(head, ref length, "Sec-WebSocket-Protocol: "u8, subprotocol);
        if (agreement.Extension is { } extension)
            Add(head, ref length, "Sec-WebSocket-Extensions: "u8, extension);
        Span<char> accept = stackalloc char[Handshake.AcceptLength];
        Handshake.WriteAccept(key, accept);
        Add(head, ref length, "Sec-WebSocket-Accept: "u8, accept);
        Add(head, ref length, "\r\n"u8);
        return head[..length].ToArray();
    }

    private static void Add(Span<byte> head, ref int length, ReadOnlySpan<byte> text)
    {
        text.CopyTo(head[length..]);
        length += text.Length;
    }

    private static void Add(Span<byte> head, ref int length, ReadOnlySpan<byte> name, ReadOnlySpan<char> value)
    {
        Add(head, ref length, name);
        length += Encoding.ASCII.GetBytes(value, head[length..]);
        Add(head, ref length, "\r\n"u8);
    }

    /// <summary>The date (RFC 9110, 5.6.7), formatted once a second.</summary>
    private byte[] Now()
    {
        var now = time.GetUtcNow();
        var second = now.ToUnixTimeSeconds();
        var date = Volatile.Read(ref _date);
        if (date.Second == second)
            return date.Text;
        var text = new byte[DateLength];
        now.TryFormat(text, out _, "R");
        Volatile.Write(ref _date, new(second, text));
        return text;
    }

    private sealed record Date(long Second, byte[] Text);
}
