namespace PushLoad.Processes;

/// <summary>What the command line asks for: the whole run.</summary>
internal sealed record LoadPlan
{
    // As Linux comes, there are 28,232 ports for connections from one address to one port; from the 14,116th on it searches long for each.
    private const int MaxPerSource = 12_000;

    public required string[] Targets { get; init; }

    public int Connections { get; init; } = 1000;

    public int Processes { get; init; } = 1;

    public int Threads { get; init; } = 1;

    public int Rooms { get; init; } = 1;

    public int RoomsPerConnection { get; init; } = 1;

    public string RoomPrefix { get; init; } = "load-";

    public string? PublishUrl { get; init; }

    public string? Redis { get; init; }

    public string ChannelPrefix { get; init; } = "push:room:";

    /// <summary>Requests under way at once.</summary>
    public int Lanes { get; init; } = 4;

    /// <summary>Messages a second, all rooms together.</summary>
    public double Rate { get; init; } = 100;

    public int Size { get; init; } = 100;

    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long to wait for all to be connected.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long to wait for the last messages.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(10);

    public double ConnectRate { get; init; }

    public double Churn { get; init; }

    public double Reconnects { get; init; }

    public int SlowReaders { get; init; }

    public int SlowRate { get; init; } = 1024;

    public bool Raw { get; init; }

    public string[] Send { get; init; } = [];

    public string[] Headers { get; init; } = [];

    public bool PortableSockets { get; init; }

    public bool AllowGaps { get; init; }

    public bool AllowDisconnects { get; init; }

    public bool AllowUnconfirmed { get; init; }

    public bool Publishes => PublishUrl is not null || Redis is not null;

    public string[] RoomNames => [.. Enumerable.Range(0, Rooms).Select(room => $"{RoomPrefix}{room}")];

    /// <summary>Each worker's part. Slow readers are spread over them.</summary>
    /// <param name="run">The run's number.</param>
    public IEnumerable<WorkerPlan> Workers(int run)
    {
        for (var process = 0; process < Processes; process++)
        {
            var first = Share(Connections, process);
            var count = Share(Connections, process + 1) - first;
            var part = (double)count / Connections;
            yield return new WorkerPlan
            {
                Targets = Targets,
                Run = run,
                FirstConnection = first,
                Connections = count,
                SlowReaders = Share(SlowReaders, process + 1) - Share(SlowReaders, process),
                SlowRate = SlowRate,
                Rooms = Rooms,
                RoomsPerConnection = RoomsPerConnection,
                RoomPrefix = RoomPrefix,
                Raw = Raw,
                Send = Send,
                Headers = Headers,
                ConnectRate = ConnectRate * part,
                Churn = Churn * part,
                Reconnects = Reconnects * part,
                Threads = Math.Min(Threads, count),
                Sources = Sources(process, count),
                PortableSockets = PortableSockets,
            };
        }
    }

    private int Share(int whole, int process) => (int)((long)whole * process / Processes);

    /// <summary>Loopback addresses of its own for each process, when the connections are too many for one.</summary>
    private string[] Sources(int process, int connections)
    {
        var isLoopback = Array.TrueForAll(Targets, target => new Uri(target) is { IsLoopback: true, HostNameType: not UriHostNameType.IPv6 });
        if (!isLoopback || !OperatingSystem.IsLinux() || Connections / Targets.Length <= MaxPerSource)
            return [];
        var each = (connections / Targets.Length / MaxPerSource) + 1;
        return [.. Enumerable.Range(process * each, each).Select(number => $"127.0.{number / 250}.{1 + (number % 250)}")];
    }
}
