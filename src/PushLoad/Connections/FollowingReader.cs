namespace PushLoad.Connections;

/// <summary>
/// Cuts one connection's bytes into whole messages. An incomplete message is buffered only if no other connection has received it before;
/// otherwise the reader compares the bytes with that connection's copy and remembers its position. Owned by its connection; one thread.
/// </summary>
/// <typeparam name="THandler">Receives the messages.</typeparam>
internal abstract class FollowingReader<THandler>
{
    private RoomFrame? _followed;
    private int _position;

    /// <summary>The start of a message that no other connection has received.</summary>
    protected PendingBytes Pending { get; } = new();

    /// <summary>Passes received bytes to the handler, message by message.</summary>
    /// <returns>False when they are not valid, a message is too long, or the handler stops reading.</returns>
    public bool Read(ReadOnlySpan<byte> bytes, THandler handler)
    {
        while (!bytes.IsEmpty)
        {
            int used;
            if (_followed is not null)
                used = Continue(bytes, handler);
            else if (Pending.Count > 0)
                used = Append(bytes, handler);
            else
                used = Begin(bytes, handler);
            if (used < 0)
                return false;
            bytes = bytes[used..];
        }

        return true;
    }

    /// <summary>Forgets an incomplete message.</summary>
    public void Reset()
    {
        Pending.Clear();
        _followed = null;
    }

    /// <summary>Reads the first bytes of a message.</summary>
    /// <returns>How many bytes were used; negative to stop reading.</returns>
    protected abstract int Begin(ReadOnlySpan<byte> bytes, THandler handler);

    /// <summary>Reads further bytes of the message in <see cref="Pending"/>.</summary>
    /// <inheritdoc cref="Begin"/>
    protected abstract int Append(ReadOnlySpan<byte> bytes, THandler handler);

    /// <summary>A message with exactly the bytes of one that another connection has received.</summary>
    /// <returns>Whether to continue reading.</returns>
    protected abstract bool OnKnown(RoomFrame frame, THandler handler);

    /// <summary>Compares the message with another connection's copy from now on.</summary>
    /// <param name="frame">The copy.</param>
    /// <param name="position">How many of its bytes have arrived.</param>
    protected void Follow(RoomFrame frame, int position) => (_followed, _position) = (frame, position);

    private int Continue(ReadOnlySpan<byte> bytes, THandler handler)
    {
        var rest = _followed!.Bytes.AsSpan(_position);
        var common = Math.Min(rest.Length, bytes.Length);
        if (!rest[..common].SequenceEqual(bytes[..common]))
        {
            // It is another message, which only begins with the same bytes.
            Pending.Append(_followed.Bytes.AsSpan(0, _position));
            _followed = null;
            return 0;
        }

        _position += common;
        if (_position < _followed.Bytes.Length)
            return common;

        var frame = _followed;
        Reset();
        return OnKnown(frame, handler) ? common : -1;
    }
}
