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

    /// <summary>The secret of the clients' tokens; null for clients without tokens. Not part of the result.</summary>
    [JsonIgnore]
    public string? TokenKey { get; init; }

    /// <summary>Users over which the connections are spread; 0 if each connection has a user of its own.</summary>
    public int Users { get; init; }

    /// <summary>SENDs a second over all connections.</summary>
    public double SendRate { get; init; }

    /// <summary>Messages a second to users, over all of them.</summary>
    public double UserRate { get; init; }

    /// <summary>Ask for the number of members.</summary>
    public bool Online { get; init; }

    public string? PublishUrl { get; init; }

    /// <summary>The publisher's key; null without one. Not part of the result.</summary>
    [JsonIgnore]
    public string? ApiKey { get; init; }

    public string? Redis { get; init; }

    public string ChannelPrefix { get; init; } = "push:room:";

    public string UserChannelPrefix { get; init; } = "push:user:";

    /// <summary>Publish requests in flight.</summary>
    public int Lanes { get; init; } = 4;

    /// <summary>Messages a second over all rooms.</summary>
    public double Rate { get; init; } = 100;

    /// <summary>Messages of a room that are due at once.</summary>
    public int Burst { get; init; } = 1;

    public int Size { get; init; } = 100;

    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long all connections may take to join.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long to wait between the last JOINED and the publishing.</summary>
    public TimeSpan Pause { get; init; }

    /// <summary>How long to wait for the last messages.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(10);

    public double ConnectRate { get; init; }

    public double Churn { get; init; }

    public double Reconnects { get; init; }

    /// <summary>Keep positions, and resume from them.</summary>
    public bool Resume { get; init; }

    /// <summary>Seconds after which a connection is cut, on average; 0 for never.</summary>
    public double CutEvery { get; init; }

    /// <summary>Seconds after which all connections are cut at once; 0 for never.</summary>
    public double CutAllAfter { get; init; }

    /// <summary>Seconds between two looks at connections that only receive; 0 to be woken by each event.</summary>
    public double ReadEvery { get; init; }

    /// <summary>Which connections are cut, and when, follows from it.</summary>
    public int Seed { get; init; }

    /// <summary>How long a request that fails is repeated with the same key; zero for not at all.</summary>
    public TimeSpan Retry { get; init; }

    public int SlowReaders { get; init; }

    public int SlowRate { get; init; } = 1024;

    public bool Raw { get; init; }

    public string[] Send { get; init; } = [];

    public string[] Headers { get; init; } = [];

    public bool PortableSockets { get; init; }

    public bool AllowGaps { get; init; }

    public bool AllowDisconnects { get; init; }

    public bool AllowUnconfirmed { get; init; }

    public bool AllowUnrecovered { get; init; }

    /// <summary>Whether clients can send: a stream over HTTP has no way in.</summary>
    [JsonIgnore]
    public bool HasWayIn => Protocol is Protocol.Ws or Protocol.MsgPack;

    public bool Publishes => PublishUrl is not null || Redis is not null;

    public string[] UserNames => [.. Enumerable.Range(0, UserRate > 0 ? Population : 0).Select(user => WorkerPlan.UserName(user))];

    private int Population => Users > 0 ? Users : Connections;

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
                TokenKey = TokenKey,
                Users = Population,
                SendRate = SendRate * part,
                UserMessages = UserRate > 0,
                Online = Online,
                Size = Size,
                Bursts = Burst > 1,
                Raw = Raw,
                Send = Send,
                Headers = Headers,
                ConnectRate = ConnectRate * part,
                Churn = Churn * part,
                Reconnects = Reconnects * part,
                Resume = Resume,
                CutEvery = CutEvery,
                CutAllAfter = CutAllAfter,
                ReadEvery = ReadEvery,
                Seed = Seed,
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
        // Connections that resume may all come to one target.
        var targets = Resume ? 1 : Targets.Length;
        if (!isLoopback || !OperatingSystem.IsLinux() || Connections / targets <= MaxPerSource)
            return [];
        var each = (connections / targets / MaxPerSource) + 1;
        return [.. Enumerable.Range(process * each, each).Select(number => $"127.0.{number / 250}.{1 + (number % 250)}")];
    }
}
