namespace PushLoad.Plans;

/// <summary>One worker's part of the run. Rates are its share.</summary>
internal sealed record WorkerPlan
{
    public required string[] Targets { get; init; }

    public Protocol Protocol { get; init; }

    /// <summary>Demand permessage-deflate.</summary>
    public bool Deflate { get; init; }

    /// <summary>This run's number, which its messages carry.</summary>
    public required int Run { get; init; }

    /// <summary>The number of this worker's first connection. A connection's number determines its target and its rooms.</summary>
    public required int FirstConnection { get; init; }

    public required int Connections { get; init; }

    /// <summary>Connections that read slowly.</summary>
    public int SlowReaders { get; init; }

    /// <summary>Bytes a second that a slow reader reads.</summary>
    public int SlowRate { get; init; }

    public int Rooms { get; init; } = 1;

    public int RoomsPerConnection { get; init; } = 1;

    public string RoomPrefix { get; init; } = "load-";

    /// <summary>The secret of the clients' tokens; null for clients without tokens.</summary>
    public string? TokenKey { get; init; }

    /// <summary>Users over which the connections of all workers are spread.</summary>
    public int Users { get; init; }

    /// <summary>SENDs a second.</summary>
    public double SendRate { get; init; }

    /// <summary>Whether the run publishes to users.</summary>
    public bool UserMessages { get; init; }

    /// <summary>Ask for the number of members.</summary>
    public bool Online { get; init; }

    /// <summary>Bytes of each message that the run publishes.</summary>
    public int Size { get; init; }

    /// <summary>Whether messages come in bursts, whose receipt is noted one by one.</summary>
    public bool Bursts { get; init; }

    /// <summary>Count frames only.</summary>
    public bool Raw { get; init; }

    /// <summary>Text messages to send after the upgrade.</summary>
    public string[] Send { get; init; } = [];

    /// <summary>Additional header lines of the request.</summary>
    public string[] Headers { get; init; } = [];

    /// <summary>Connects per second; 0 means no limit.</summary>
    public double ConnectRate { get; init; }

    /// <summary>Leaves per second, each followed by a join of the same room.</summary>
    public double Churn { get; init; }

    /// <summary>Connections closed and reopened per second.</summary>
    public double Reconnects { get; init; }

    /// <summary>Keep positions, and resume from them, in turn at each of the targets.</summary>
    public bool Resume { get; init; }

    /// <summary>Seconds after which a connection is cut, on average; 0 for never.</summary>
    public double CutEvery { get; init; }

    /// <summary>Seconds after which all connections are cut at once; 0 for never.</summary>
    public double CutAllAfter { get; init; }

    /// <summary>Seconds between two looks at connections that only receive; 0 to be woken by each event.</summary>
    public double ReadEvery { get; init; }

    /// <summary>Which connections are cut, and when, follows from it.</summary>
    public int Seed { get; init; }

    public int Threads { get; init; } = 1;

    /// <summary>The addresses to connect from, in turn; empty if the system chooses.</summary>
    public string[] Sources { get; init; } = [];

    /// <summary>Use .NET sockets even where epoll is available.</summary>
    public bool PortableSockets { get; init; }

    public static string UserName(int user) => $"load-user-{user}";

    /// <summary>The user of a connection. A user's connections are on all targets.</summary>
    public int UserOf(int connection) => connection / Targets.Length % Users;

    public string RoomName(int room) => $"{RoomPrefix}{room}";

    /// <summary>
    /// The rooms of a connection. Rooms are assigned in turn on each target separately, so that every room has members on every node.
    /// </summary>
    public IEnumerable<int> RoomsOf(int connection)
    {
        var first = (long)(connection / Targets.Length) * RoomsPerConnection;
        return Raw ? [] : Enumerable.Range(0, RoomsPerConnection).Select(i => (int)((first + i) % Rooms));
    }
}
