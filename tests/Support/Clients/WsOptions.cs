namespace TestSupport.Clients;

/// <summary>How a <see cref="WsClient"/> behaves.</summary>
public sealed record WsOptions
{
    public static readonly WsOptions Default = new();

    public bool AnswersPings { get; init; } = true;

    public bool EchoesClose { get; init; } = true;

    /// <summary>SO_RCVBUF; null for the kernel's own choice. Small values make a client that does not read fill up soon.</summary>
    public int? ReceiveBuffer { get; init; }

    /// <summary>Header lines of the handshake, each ended by CRLF.</summary>
    public string ExtraHeaders { get; init; } = "";

    /// <summary>The value of Sec-WebSocket-Extensions; null to offer none.</summary>
    public string? Extensions { get; init; }

    /// <summary>Takes each message, one at a time, instead of the client's queue; for load.</summary>
    public Action<ServerMessage>? OnMessage { get; init; }

    internal string Headers => Extensions is null ? ExtraHeaders : $"{ExtraHeaders}Sec-WebSocket-Extensions: {Extensions}\r\n";
}
