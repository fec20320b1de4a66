namespace PushLoad.Processes;

/// <summary>What one worker process has to do. Rates are this worker's share.</summary>
internal sealed record WorkerPlan
{
    public required string[] Targets { get; init; }

    /// <summary>This run's number, which tells its messages from those of others.</summary>
    public required int Run { get; init; }

    /// <summary>The number of this worker's first connection; which rooms and which target a connection has follows from its number.</summary>
    public required int FirstConnection { get; init; }

    public required int Connections { get; init; }

    /// <summary>How many of the connections read slowly.</summary>
    public int SlowReaders { get; init; }

    /// <summary>Bytes a second that a slow reader takes.</summary>
    public int SlowRate { get; init; }

    public int Rooms { get; init; } = 1;

    public int RoomsPerConnection { get; init; } = 1;

    public string RoomPrefix { get; init; } = "load-";

    /// <summary>Count frames and nothing else.</summary>
    public bool Raw { get; init; }

    /// <summary>Text messages to send after the upgrade.</summary>
    public string[] Send { get; init; } = [];

    /// <summary>More request header lines for the upgrade.</summary>
    public string[] Headers { get; init; } = [];

    /// <summary>Connects begun per second; 0 is as many as go.</summary>
    public double ConnectRate { get; init; }

    /// <summary>Leaves per second, each followed by a join of the same room.</summary>
    public double Churn { get; init; }

    /// <summary>Connections closed and opened again per second.</summary>
    public double Reconnects { get; init; }

    public int Threads { get; init; } = 1;

    /// <summary>The addresses to connect from, in turn; none for the system's choice.</summary>
    public string[] Sources { get; init; } = [];

    /// <summary>Use .NET's sockets even where there is epoll.</summary>
    public bool PortableSockets { get; init; }

    public string RoomName(int room) => $"{RoomPrefix}{room}";

    /// <summary>The rooms of a connection: in turn, and on each target in turn, so that every room has members on every node.</summary>
    public IEnumerable<int> RoomsOf(int connection)
    {
        var first = (long)(connection / Targets.Length) * RoomsPerConnection;
        return Raw ? [] : Enumerable.Range(0, RoomsPerConnection).Select(i => (int)((first + i) % Rooms));
    }
}
