using System.Buffers.Binary;
using System.Text;
using PushLoad.Formats;
using PushLoad.Messages;
using PushLoad.Plans;

namespace PushLoad.Connections;

/// <summary>
/// A WebSocket: messages are JSON in text frames or MessagePack in binary frames, deflated or not. Owned by its connection; one thread.
/// </summary>
internal sealed class WebSocketWire(LoadLoop loop, LoadConnection connection) : IWire, IFrameHandler
{
    private readonly FrameReader _reader = new(loop.Plan.Deflate);
    private readonly byte _opcode = loop.Plan.Protocol == Protocol.MsgPack ? FrameHeader.Binary : FrameHeader.Text;
    private List<byte>? _fragments;
    private bool _fragmentsAreDeflated;
    private string? _fault;

    public byte[] Request() =>
        Handshake.Request(connection.Target, connection.Rooms.InRequest, loop.HeadersOf(connection), loop.Plan.Protocol == Protocol.MsgPack, loop.Plan.Deflate);

    public string? Problem(ReadOnlySpan<byte> head) => Handshake.Problem(head, loop.Plan.Protocol == Protocol.MsgPack, loop.Plan.Deflate);

    public string? Read(ReadOnlySpan<byte> bytes) => _reader.Read(bytes, this) ? null : _fault ?? "malformed frame";

    public void BeginClose()
    {
        if (loop.Send(connection, ClientFrames.Close(1000)))
            connection.Closing();
    }

    public void Reset()
    {
        _reader.Reset();
        _fragments = null;
        _fault = null;
    }

    public RoomFrame? FindFrame(ReadOnlySpan<byte> beginning) => connection.Rooms.FindFrame(beginning);

    public bool OnKnownFrame(RoomFrame frame)
    {
        connection.Rooms.OnPush(frame);
        return true;
    }

    public bool OnFrame(FrameHeader header, ReadOnlySpan<byte> frame)
    {
        var payload = frame[header.Length..];
        if (header.IsControl)
            return OnControl(header, payload);
        if (loop.Plan.Raw)
        {
            if (header.IsFinal)
                loop.Figures.Tally.Frames++;
            return true;
        }

        if (!header.IsFinal || header.Opcode != _opcode || _fragments is not null)
            return OnFragment(header, payload);
        if (connection.Rooms.FindFrame(frame) is not { } known)
            return OnMessage(payload, header.IsDeflated, frame);
        connection.Rooms.OnPush(known);
        return true;
    }

    private bool OnFragment(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        var isFirst = _fragments is null;
        if (header.Opcode != (isFirst ? _opcode : FrameHeader.Continuation))
            return false;
        if (isFirst)
            _fragmentsAreDeflated = header.IsDeflated;
        _fragments ??= [];
        _fragments.AddRange(payload);
        if (_fragments.Count > PendingBytes.Max)
            return false;
        if (!header.IsFinal)
            return true;
        var whole = _fragments.ToArray();
        _fragments = null;
        return OnMessage(whole, _fragmentsAreDeflated, []);
    }

    /// <param name="payload">The message as it came.</param>
    /// <param name="isDeflated">Whether it is deflated.</param>
    /// <param name="frame">Its frame, header included; empty when it came in fragments.</param>
    private bool OnMessage(ReadOnlySpan<byte> payload, bool isDeflated, ReadOnlySpan<byte> frame)
    {
        var deflation = default(Deflation);
        if (isDeflated)
        {
            _fault = loop.Inflater.Inflate(payload, out var plain);
            if (_fault is not null)
                return false;
            deflation = new Deflation(payload.Length, plain.Length);
            payload = plain;
        }

        if (_opcode == FrameHeader.Binary && !loop.MessagePack.TryConvert(payload, out payload))
            connection.Rooms.OnUnreadable();
        else if (ServerMessage.TryParse(payload, out var message))
            connection.Rooms.OnMessage(message, frame, deflation);
        else
            connection.Rooms.OnUnreadable();
        return true;
    }

    private bool OnControl(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        switch (header.Opcode)
        {
            case FrameHeader.Ping:
                loop.Send(connection, ClientFrames.Pong(payload));
                return true;
            case FrameHeader.Close:
                OnClose(payload);
                return false;
            default:
                return header.Opcode == FrameHeader.Pong;
        }
    }

    private void OnClose(ReadOnlySpan<byte> payload)
    {
        if (connection.State == ConnectionState.Closing)
        {
            loop.End(connection, null);
            return;
        }

        var code = payload.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(payload) : (ushort)1005;
        var reason = connection.CloseReason(code, payload.Length > 2 ? Encoding.UTF8.GetString(payload[2..]) : "");
        loop.Send(connection, ClientFrames.Close(code == 1005 ? (ushort)1000 : code));
        loop.End(connection, reason);
    }
}
