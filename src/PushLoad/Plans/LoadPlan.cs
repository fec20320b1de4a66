using System.Text.Json.Serialization;

namespace PushLoad.Plans;

/// <summary>The whole run as the command line specifies it.</summary>
internal sealed record LoadPlan
{
    // By default Linux has 28,232 ports for connections from one address to one port; once half of them are used, finding a free one takes
    // long.
    private const int MaxPerSource = 12_000;

    public required string[] Targets { get; init; }

    public Protocol Protocol { get; init; }

    /// <summary>Demand permessage-deflate.</summary>
    public bool Deflate { get; init; }

    public int Connections { get; init; } = 1000;

    public int Processes { get; init; } = 1;

    public int Threads { get; init; } = 1;

    public int Rooms { get; init; } = 1;

    public int RoomsPerConnection { get; init; } = 1;

    public string RoomPrefix { get; init; } = "load-";

    public string? PublishUrl { get; init; }

    public string? Redis { get; init; }

    public string ChannelPrefix { get; init; } = "push:room:";

    /// <summary>Publish requests in flight.</summary>
    public int Lanes { get; init; } = 4;

    /// <summary>Messages a second over all rooms.</summary>
    public double Rate { get; init; } = 100;

    public int Size { get; init; } = 100;

    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long all connections may take to join.</summary>
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

    /// <summary>Whether clients can send: a stream over HTTP has no way in.</summary>
    [JsonIgnore]
    public bool HasWayIn => Protocol is Protocol.Ws or Protocol.MsgPack;

    public bool Publishes => PublishUrl is not null || Redis is not null;

    public string[] RoomNames => [.. Enumerable.Range(0, Rooms).Select(room => $"{RoomPrefix}{room}")];

    /// <summary>The protocol for people: "msgpack, deflate".</summary>
    public string Words() => Protocol.ToString().ToLowerInvariant() + (Deflate ? ", deflate" : "");

    /// <summary>The plan of each worker. Slow readers are spread over the workers.</summary>
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
                Protocol = Protocol,
                Deflate = Deflate,
                Run = run,
                FirstConnection = first,
                Connections = count,
                SlowReaders = Share(SlowReaders, process + 1) - Share(SlowReaders, process),
                SlowRate = SlowRate,
                Rooms = Rooms,
                RoomsPerConnection = RoomsPerConnection,
                RoomPrefix = RoomPrefix,
                Size = Size,
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

    /// <summary>
    /// Loopback addresses to connect from, different for each process, for when one address has too few ports for all connections.
    /// </summary>
    private string[] Sources(int process, int connections)
    {
        var isLoopback = Array.TrueForAll(Targets, target => new Uri(target) is { IsLoopback: true, HostNameType: not UriHostNameType.IPv6 });
        if (!isLoopback || !OperatingSystem.IsLinux() || Connections / Targets.Length <= MaxPerSource)
            return [];
        var each = (connections / Targets.Length / MaxPerSource) + 1;
        return [.. Enumerable.Range(process * each, each).Select(number => $"127.0.{number / 250}.{1 + (number % 250)}")];
    }
}
