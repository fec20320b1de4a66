using System.CommandLine;
using PushLoad.Processes;

namespace PushLoad.CommandLine;

/// <summary>The program's arguments and options, and the plan that they make.</summary>
internal sealed class LoadCommand
{
    private readonly Argument<string[]> _targets = new("url") { Description = "WebSocket address, ws://host:port/path; of several, connections are spread over all.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<int> _connections = Number("--connections", "Connections, all processes together.", 1000);
    private readonly Option<int> _processes = Number("--processes", "Worker processes; one takes up to 19,000 connections.", 1);
    private readonly Option<int> _threads = Number("--threads", "Threads in each worker process.", 1);
    private readonly Option<int> _rooms = Number("--rooms", "Rooms over which connections and messages are spread.", 1);
    private readonly Option<int> _roomsPerConnection = Number("--rooms-per-connection", "Rooms that each connection joins.", 1);
    private readonly Option<string> _roomPrefix = new("--room-prefix") { Description = "Rooms are named by this and a number from 0.", DefaultValueFactory = _ => "load-" };
    private readonly Option<string?> _publish = new("--publish") { Description = "Publish over HTTP, to the API at this address." };
    private readonly Option<string?> _redis = new("--redis") { Description = "Publish to a Redis, host:port." };
    private readonly Option<string> _channelPrefix = new("--channel-prefix") { Description = "With --redis: channels are named by this and the room.", DefaultValueFactory = _ => "push:room:" };
    private readonly Option<int> _lanes = Number("--publishers", "Publish requests under way at once; a room's go one after the other.", 4);
    private readonly Option<double> _rate = Real("--rate", "Messages a second, all rooms together.", 100);
    private readonly Option<int> _size = Number("--size", "Bytes of a message; one cannot be shorter than about 60.", 100);
    private readonly Option<double> _duration = Real("--duration", "Seconds to publish.", 30);
    private readonly Option<double> _connectTimeout = Real("--connect-timeout", "Seconds until all connections must be joined.", 60);
    private readonly Option<double> _drain = Real("--drain", "Seconds to wait for the last messages.", 10);
    private readonly Option<double> _connectRate = Real("--connect-rate", "Connects a second; 0 is as many as go.", 0);
    private readonly Option<double> _churn = Real("--churn", "Leaves a second, each followed by a join of the same room.", 0);
    private readonly Option<double> _reconnects = Real("--reconnects", "Connections a second that are closed and opened again.", 0);
    private readonly Option<int> _slowReaders = Number("--slow-readers", "How many of the connections read slowly.", 0);
    private readonly Option<int> _slowRate = Number("--slow-rate", "Bytes a second that a slow reader takes; 0 is none.", 1024);
    private readonly Option<bool> _raw = new("--raw") { Description = "Only count frames: for servers that speak another protocol." };
    private readonly Option<string[]> _send = new("--send") { Description = "With --raw: a text message to send after the upgrade.", DefaultValueFactory = _ => [] };
    private readonly Option<string[]> _headers = new("--header") { Description = "A header line for the upgrade, \"Name: value\".", DefaultValueFactory = _ => [] };
    private readonly Option<bool> _portable = new("--portable-sockets") { Description = "Use .NET's sockets instead of epoll." };
    private readonly Option<bool> _allowGaps = new("--allow-gaps") { Description = "GAPs to connections that are no slow readers are no failure." };
    private readonly Option<bool> _allowDisconnects = new("--allow-disconnects") { Description = "Connections ended by the server are no failure." };
    private readonly Option<bool> _allowUnconfirmed = new("--allow-unconfirmed") { Description = "Messages whose publishing fails are no failure." };
    private readonly Option<FileInfo?> _json = new("--json") { Description = "Write the result to this file, as JSON." };
    private readonly Option<FileInfo?> _html = new("--html") { Description = "Write the result to this file, as a page with plots." };

    /// <param name="run">Carries out a plan and returns the exit code.</param>
    public RootCommand Create(Func<LoadPlan, Outputs, CancellationToken, Task<int>> run)
    {
        var command = new RootCommand("Opens many WebSocket connections to a push server, publishes, and checks that every message reaches every member once and in order.")
        {
            _targets, _connections, _processes, _threads, _rooms, _roomsPerConnection, _roomPrefix, _publish, _redis, _channelPrefix, _lanes, _rate, _size, _duration, _connectTimeout, _drain,
            _connectRate, _churn, _reconnects, _slowReaders, _slowRate, _raw, _send, _headers, _portable, _allowGaps, _allowDisconnects, _allowUnconfirmed, _json, _html,
        };
        command.SetAction((result, cancellation) => run(Plan(result), new Outputs(result.GetValue(_json), result.GetValue(_html)), cancellation));
        return command;
    }

    private LoadPlan Plan(ParseResult result) => new()
    {
        Targets = result.GetValue(_targets)!,
        Connections = result.GetValue(_connections),
        Processes = result.GetValue(_processes),
        Threads = result.GetValue(_threads),
        Rooms = result.GetValue(_rooms),
        RoomsPerConnection = result.GetValue(_roomsPerConnection),
        RoomPrefix = result.GetValue(_roomPrefix)!,
        PublishUrl = result.GetValue(_publish),
        Redis = result.GetValue(_redis),
        ChannelPrefix = result.GetValue(_channelPrefix)!,
        Lanes = result.GetValue(_lanes),
        Rate = result.GetValue(_rate),
        Size = result.GetValue(_size),
        Duration = TimeSpan.FromSeconds(result.GetValue(_duration)),
        ConnectTimeout = TimeSpan.FromSeconds(result.GetValue(_connectTimeout)),
        Drain = TimeSpan.FromSeconds(result.GetValue(_drain)),
        ConnectRate = result.GetValue(_connectRate),
        Churn = result.GetValue(_churn),
        Reconnects = result.GetValue(_reconnects),
        SlowReaders = result.GetValue(_slowReaders),
        SlowRate = result.GetValue(_slowRate),
        Raw = result.GetValue(_raw),
        Send = result.GetValue(_send)!,
        Headers = result.GetValue(_headers)!,
        PortableSockets = result.GetValue(_portable),
        AllowGaps = result.GetValue(_allowGaps),
        AllowDisconnects = result.GetValue(_allowDisconnects),
        AllowUnconfirmed = result.GetValue(_allowUnconfirmed),
    };

    private static Option<int> Number(string name, string description, int value) => new(name) { Description = description, DefaultValueFactory = _ => value };

    private static Option<double> Real(string name, string description, double value) => new(name) { Description = description, DefaultValueFactory = _ => value };
}
