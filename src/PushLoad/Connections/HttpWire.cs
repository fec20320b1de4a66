using PushLoad.Formats;
using PushLoad.Messages;
using PushLoad.Plans;

namespace PushLoad.Connections;

/// <summary>
/// A long HTTP answer, of server-sent events or of lines of JSON. Rooms are joined by the request only. The server announces its end with a CLOSE
/// and ends the body with the last chunk. Owned by its connection; one thread.
/// </summary>
internal sealed class HttpWire(LoadLoop loop, LoadConnection connection) : IWire, ILineHandler
{
    private readonly bool _events = loop.Plan.Protocol == Protocol.Sse;
    private readonly ChunkReader _chunks = new();
    private readonly LineReader _lines = new(loop.Plan.Protocol == Protocol.Sse);
    private string? _closeReason;
    private long? _retry;

    public byte[] Request() => HttpRequest.Create(connection.Target, connection.Rooms.InRequest, loop.HeadersOf(connection), _events);

    public string? Problem(ReadOnlySpan<byte> head) => HttpRequest.Problem(head, _events);

    public string? Read(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (!_chunks.TryRead(ref bytes, out var body))
                return "malformed chunk";
            if (!_lines.Read(body, this))
                return "message without an end";
            if (!_chunks.HasEnded)
                continue;
            loop.End(connection, _closeReason ?? "end of the answer without a CLOSE");
            return null;
        }

        return null;
    }

    public void BeginClose()
    {
        connection.Closing();
        loop.End(connection, null);
    }

    public void Reset()
    {
        _chunks.Reset();
        _lines.Reset();
        _closeReason = null;
        _retry = null;
    }

    public RoomFrame? FindCommon(ReadOnlySpan<byte> bytes) => connection.Rooms.FindCommon(bytes);

    public bool OnKnownMessage(RoomFrame frame)
    {
        CheckOpen();
        connection.Rooms.OnPush(frame);
        return true;
    }

    public bool OnMessage(ReadOnlySpan<byte> message)
    {
        // Signs of life.
        if (message[0] == '\n' || (_events && message[0] == ':'))
            return true;
        CheckOpen();
        if (loop.Plan.Raw)
            loop.Figures.Tally.Frames++;
        else if (connection.Rooms.FindFrame(message) is { } known)
            connection.Rooms.OnPush(known);
        else if (_events)
            OnBlock(message);
        else if (ServerMessage.TryParse(message[..^1], out var parsed))
            OnParsed(parsed, message);
        else
            connection.Rooms.OnUnreadable();
        return true;
    }

    private void OnBlock(ReadOnlySpan<byte> message)
    {
        if (!ServerEvent.TryParse(message, out var block))
        {
            connection.Rooms.OnUnreadable();
            return;
        }

        _retry = block.Retry ?? _retry;
        // Without data it is no event.
        if (block.Data.IsEmpty)
            return;
        if (ServerMessage.TryParseEvent(block.Name, block.Data, out var parsed))
            OnParsed(parsed, message);
        else
            connection.Rooms.OnUnreadable();
    }

    private void OnParsed(ServerMessage parsed, ReadOnlySpan<byte> message)
    {
        if (parsed.Type == ServerMessageType.Close)
            OnClose(parsed);
        else
            connection.Rooms.OnMessage(parsed, message, default);
    }

    private void OnClose(ServerMessage close)
    {
        loop.Figures.Tally.Frames++;
        _closeReason = connection.CloseReason(close.CloseCode ?? 0, close.Reason ?? "");
        // EventSource knows only the field.
        if (_events && connection.RetryAfter is { } hint && _retry * 1000 != hint)
            loop.Figures.Violated("close event without the same retry field");
    }

    private void CheckOpen()
    {
        if (_closeReason is not null)
            loop.Figures.Violated("message after CLOSE");
    }
}
