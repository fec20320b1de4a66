using System.CommandLine;
using System.Security.Cryptography;
using PushLoad.Plans;

namespace PushLoad.CommandLine;

/// <summary>The command line: its options, and the plan and files that they ask for.</summary>
internal sealed class LoadCommand
{
    // In the order of the enum.
    private static readonly string[] Names = ["ws", "msgpack", "sse", "stream"];

    private readonly Argument<string[]> _targets = new("url")
    {
        Description = "Address, ws://host:port/path, or http:// for sse and stream. Connections are spread over several.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string> _protocol = With("--protocol", "What the connections speak.", Names[0]).AcceptOnlyFromAmong(Names);
    private readonly Option<bool> _deflate = new("--deflate") { Description = "Demand permessage-deflate, and inflate what comes deflated." };
    private readonly Option<int> _connections = With("--connections", "Connections of all processes together.", 1000);
    private readonly Option<int> _processes = With("--processes", "Worker processes, each with at most 19,000 connections.", 1);
    private readonly Option<int> _threads = With("--threads", "Threads in each worker process.", 1);
    private readonly Option<int> _rooms = With("--rooms", "Rooms over which connections and messages are spread.", 1);
    private readonly Option<int> _roomsPerConnection = With("--rooms-per-connection", "Rooms that each connection joins.", 1);
    private readonly Option<string> _roomPrefix = With("--room-prefix", "A room's name is this prefix and a number from 0.", "load-");
    private readonly Option<string?> _tokenKey = new("--token-key") { Description = "Give each connection a token, signed with this secret (HS256)." };
    private readonly Option<int> _users = With("--users", "With --token-key: users over which connections are spread; 0: one each.", 0);
    private readonly Option<double> _sendRate = With("--send-rate", "With --token-key: SENDs a second over all connections.", 0.0);
    private readonly Option<double> _userRate = With("--user-rate", "With --token-key: messages a second to users, over all of them.", 0.0);
    private readonly Option<bool> _online = new("--online") { Description = "Ask for the number of members with each JOIN." };
    private readonly Option<string?> _apiKey = new("--api-key") { Description = "With --publish: the publisher's key." };
    private readonly Option<string> _userChannelPrefix =
        With("--user-channel-prefix", "With --redis: a channel's name is this prefix and the user.", "push:user:");
    private readonly Option<string?> _publish = new("--publish") { Description = "Publish over HTTP to the PushApi at this address." };
    private readonly Option<string?> _redis = new("--redis") { Description = "Publish to the Redis at this host:port." };
    private readonly Option<string> _channelPrefix =
        With("--channel-prefix", "With --redis: a channel's name is this prefix and the room.", "push:room:");
    private readonly Option<int> _lanes = With("--publishers", "Publish requests in flight, at most one for each room.", 4);
    private readonly Option<double> _rate = With("--rate", "Messages a second over all rooms; 0 means none.", 100.0);
    private readonly Option<int> _burst = With("--burst", "Messages of a room that are due at once; the rate stays the same.", 1);
    private readonly Option<int> _size = With("--size", "Bytes of a message; the minimum is about 60.", 100);
    private readonly Option<double> _duration = With("--duration", "Seconds to publish.", 30.0);
    private readonly Option<double> _connectTimeout = With("--connect-timeout", "Seconds until all connections must have joined.", 60.0);
    private readonly Option<double> _pause = With("--pause", "Seconds between the last JOINED and the publishing.", 0.0);
    private readonly Option<double> _drain = With("--drain", "Seconds to wait for the last messages.", 10.0);
    private readonly Option<double> _connectRate = With("--connect-rate", "Connects a second; 0 means no limit.", 0.0);
    private readonly Option<double> _churn = With("--churn", "Leaves a second, each followed by a join of the same room.", 0.0);
    private readonly Option<double> _reconnects = With("--reconnects", "Connections a second that are closed and reopened.", 0.0);
    private readonly Option<bool> _resume = new("--resume") { Description = "Keep positions, and resume from them, at the next url." };
    private readonly Option<double> _cutEvery = With("--cut-every", "Seconds after which a connection is cut, on average; 0 means never.", 0.0);
    private readonly Option<double> _cutAllAfter = With("--cut-all-after", "Seconds after which all connections are cut at once; 0 means never.", 0.0);
    private readonly Option<double> _readEvery = With("--read-every", "Seconds between two looks at connections that only receive; 0 means at once.", 0.0);
    private readonly Option<int> _seed = With("--seed", "Which connections are cut, and when; 0 means a random seed.", 0);
    private readonly Option<double> _retry = With("--retry", "With --publish: seconds for which a request is repeated, with one Idempotency-Key.", 0.0);
    private readonly Option<int> _slowReaders = With("--slow-readers", "Connections that read slowly.", 0);
    private readonly Option<int> _slowRate = With("--slow-rate", "Bytes a second that a slow reader reads; 0 means none.", 1024);
    private readonly Option<bool> _raw = new("--raw") { Description = "Count frames only, for servers with another protocol." };
    private readonly Option<string[]> _send = With("--send", "With --raw: a text message to send after the upgrade.", Array.Empty<string>());
    private readonly Option<string[]> _headers = With("--header", "A header line for the request, \"Name: value\".", Array.Empty<string>());
    private readonly Option<bool> _portable = new("--portable-sockets") { Description = "Use .NET sockets instead of epoll." };
    private readonly Option<bool> _allowGaps = new("--allow-gaps") { Description = "Do not fail on GAPs to connections that are not slow readers." };
    private readonly Option<bool> _allowDisconnects = new("--allow-disconnects") { Description = "Do not fail when the server ends connections." };
    private readonly Option<bool> _allowUnconfirmed = new("--allow-unconfirmed") { Description = "Do not fail when messages are not confirmed." };
    private readonly Option<bool> _allowUnrecovered = new("--allow-unrecovered") { Description = "Do not fail when positions are not recovered." };
    private readonly Option<FileInfo?> _json = new("--json") { Description = "Write the result to this file, as JSON." };
    private readonly Option<FileInfo?> _html = new("--html") { Description = "Write the result to this file, as a page with plots." };

    /// <param name="run">Carries out a plan and returns the exit code.</param>
    public RootCommand Create(Func<LoadPlan, Outputs, CancellationToken, Task<int>> run)
    {
        const string Description =
            "Opens many connections to a push server, publishes, and checks that every message reaches every member once and in order.";
        var command = new RootCommand(Description)
        {
            _targets, _protocol, _deflate, _connections, _processes, _threads, _rooms, _roomsPerConnection, _roomPrefix, _tokenKey, _users, _sendRate, _userRate,
            _online, _publish, _apiKey, _redis, _channelPrefix, _userChannelPrefix, _lanes, _rate, _burst, _size, _duration, _connectTimeout, _pause, _drain, _connectRate, _churn, _reconnects,
            _resume, _cutEvery, _cutAllAfter, _readEvery, _seed, _retry, _slowReaders, _slowRate,
            _raw, _send, _headers, _portable, _allowGaps, _allowDisconnects, _allowUnconfirmed, _allowUnrecovered, _json, _html,
        };
        command.SetAction((result, cancellation) => run(Plan(result), new Outputs(result.GetValue(_json), result.GetValue(_html)), cancellation));
        return command;
    }

    private LoadPlan Plan(ParseResult result) => new()
    {
        Targets = result.GetValue(_targets)!,
        Protocol = (Protocol)Array.IndexOf(Names, result.GetValue(_protocol)),
        Deflate = result.GetValue(_deflate),
        Connections = result.GetValue(_connections),
        Processes = result.GetValue(_processes),
        Threads = result.GetValue(_threads),
        Rooms = result.GetValue(_rooms),
        RoomsPerConnection = result.GetValue(_roomsPerConnection),
        RoomPrefix = result.GetValue(_roomPrefix)!,
        TokenKey = result.GetValue(_tokenKey),
        Users = result.GetValue(_users),
        SendRate = result.GetValue(_sendRate),
        UserRate = result.GetValue(_userRate),
        Online = result.GetValue(_online),
        PublishUrl = result.GetValue(_publish),
        ApiKey = result.GetValue(_apiKey),
        UserChannelPrefix = result.GetValue(_userChannelPrefix)!,
        Redis = result.GetValue(_redis),
        ChannelPrefix = result.GetValue(_channelPrefix)!,
        Lanes = result.GetValue(_lanes),
        Rate = result.GetValue(_rate),
        Burst = result.GetValue(_burst),
        Size = result.GetValue(_size),
        Duration = TimeSpan.FromSeconds(result.GetValue(_duration)),
        ConnectTimeout = TimeSpan.FromSeconds(result.GetValue(_connectTimeout)),
        Pause = TimeSpan.FromSeconds(result.GetValue(_pause)),
        Drain = TimeSpan.FromSeconds(result.GetValue(_drain)),
        ConnectRate = result.GetValue(_connectRate),
        Churn = result.GetValue(_churn),
        Reconnects = result.GetValue(_reconnects),
        Resume = result.GetValue(_resume),
        CutEvery = result.GetValue(_cutEvery),
        CutAllAfter = result.GetValue(_cutAllAfter),
        ReadEvery = result.GetValue(_readEvery),
        Seed = result.GetValue(_seed) is var seed and not 0 ? seed : RandomNumberGenerator.GetInt32(1, int.MaxValue / 2),
        Retry = TimeSpan.FromSeconds(result.GetValue(_retry)),
        SlowReaders = result.GetValue(_slowReaders),
        SlowRate = result.GetValue(_slowRate),
        Raw = result.GetValue(_raw),
        Send = result.GetValue(_send)!,
        Headers = result.GetValue(_headers)!,
        PortableSockets = result.GetValue(_portable),
        AllowGaps = result.GetValue(_allowGaps),
        AllowDisconnects = result.GetValue(_allowDisconnects),
        AllowUnconfirmed = result.GetValue(_allowUnconfirmed),
        AllowUnrecovered = result.GetValue(_allowUnrecovered),
    };

    private static Option<T> With<T>(string name, string description, T value) =>
        new(name) { Description = description, DefaultValueFactory = _ => value };
}

/// <summary>The files to write; null for none.</summary>
internal sealed record Outputs(FileInfo? Json, FileInfo? Html);
