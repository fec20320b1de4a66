using System.Globalization;
using TestSupport.Clients;
using TestSupport.Processes;

namespace Deployment.Tests.Harness;

/// <summary>
/// Redis, an API, three nodes on addresses of their own, their name, and nginx in front. The nodes have the reconnect hint of docker-compose.yml and do
/// not warm themselves. Time limits are longer than there, so that a busy machine looks like no outage; everything else is default.
/// </summary>
internal sealed class NginxFarm : IAsyncDisposable
{
    /// <summary>Of all programs.</summary>
    private static readonly (string Key, string Value) PatientCanary = ("Backplane:CanaryTimeout", "00:01:00");

    /// <summary>Of nodes: for handshakes, and for clients that are told to go.</summary>
    private static readonly (string Key, string Value)[] Patient =
    [
        PatientCanary, ("Push:Connections:HandshakeTimeout", "00:01:00"), ("Push:Connections:CloseTimeout", "00:01:00"),
        ("Push:Drain:Deadline", "00:01:40"),
    ];

    private readonly int _nodePort = FreePort.Next();
    private readonly SortedDictionary<string, ProgramProcess> _nodes = new(StringComparer.Ordinal);
    private RedisProcess? _redis;
    private ProgramProcess? _api;
    private NameServer? _names;
    private Nginx? _nginx;

    /// <summary>By address.</summary>
    public IReadOnlyDictionary<string, ProgramProcess> Nodes => _nodes;

    public ProgramProcess Api => _api!;

    public NameServer Names => _names!;

    public Nginx Nginx => _nginx!;

    /// <param name="nodes">The first node's address is 127.0.0.2, and so on.</param>
    /// <param name="settings">Of all nodes.</param>
    /// <param name="edit">As of <see cref="Nginx.StartAsync"/>.</param>
    /// <param name="clientsPerAddress">More than the tests' clients, who all have one address.</param>
    public static async Task<NginxFarm> StartAsync(int nodes = 3, (string Key, string Value)[]? settings = null, Action<string>? edit = null, int clientsPerAddress = 10_000)
    {
        var farm = new NginxFarm();
        try
        {
            farm._redis = await RedisProcess.StartNewAsync();
            farm._api = await ProgramProcess.StartApiAsync(
                farm._redis, ("Proxies:Trusted", "127.0.0.0/8"), PatientCanary, ("Backplane:PublishTimeout", "00:00:01.9"));
            await Task.WhenAll(Enumerable.Range(0, nodes).Select(node => farm.StartNodeAsync(Address(node), settings ?? [])));
            farm._names = await NameServer.StartAsync([.. farm._nodes.Keys]);
            farm._nginx = await Nginx.StartAsync(
                [
                    ("PUSH_RESOLVER", farm._names.EndPoint), ("PUSH_NODES", $"{NameServer.Nodes}:{farm._nodePort}"), ("PUSH_API", $"127.0.0.1:{farm._api.ApiPort}"),
                    ("PUSH_CONNECTIONS_PER_ADDRESS", $"{clientsPerAddress}"),
                ],
                directory =>
                {
                    WaitLonger(directory);
                    edit?.Invoke(directory);
                });
            return farm;
        }
        catch
        {
            await farm.DisposeAsync();
            throw;
        }
    }

    public static string Address(int node) => $"127.0.0.{2 + node}";

    /// <summary>Starts a node, in place of one that ran there before; its address is not announced.</summary>
    public async Task<ProgramProcess> StartNodeAsync(string address, params (string Key, string Value)[] settings)
    {
        var management = FreePort.Next();
        var node = ProgramProcess.Start(
            "PushNode",
            [
                ("Management:Port", $"{management}"), ("ConnectionStrings:Redis", _redis!.EndPoint), ("Push:Node", address),
                ("Push:Drain:RetryAfter", "00:00:00.2"), ProgramProcess.StartsCold, .. Patient, .. settings,
            ],
            ["--urls", $"http://{address}:{_nodePort}"],
            _nodePort,
            managementPort: management);
        ProgramProcess? predecessor;
        lock (_nodes)
        {
            predecessor = _nodes.GetValueOrDefault(address);
            _nodes[address] = node;
        }

        if (predecessor is not null)
            await predecessor.DisposeAsync();
        await node.BecomesReadyAsync();
        return node;
    }

    /// <summary>Publishes a command to a node.</summary>
    public Task CommandAsync(string command, string node) => _redis!.CliAsync("PUBLISH", "push:control", $$"""{"command":"{{command}}","node":"{{node}}"}""");

    /// <summary>How many nodes are subscribed to a channel.</summary>
    public async Task<int> SubscribersAsync(string channel) => int.Parse((await _redis!.CliAsync("PUBSUB", "NUMSUB", channel)).Split('\n')[^1], CultureInfo.InvariantCulture);

    /// <summary>How many clients each node that runs has, by address.</summary>
    public async Task<Dictionary<string, int>> ConnectionsAsync()
    {
        var connections = new Dictionary<string, int>();
        foreach (var (address, node) in _nodes.Where(node => !node.Value.HasExited))
            connections[address] = (int)(await Metrics.ScrapeAsync(node))["push_connections"];
        return connections;
    }

    /// <summary>Waits until the nodes have accepted so many more clients.</summary>
    public async Task AcceptsAsync(int count, LoadGenerator load)
    {
        var before = await AcceptedAsync();
        await Eventually.HoldsAsync(
            async () => await AcceptedAsync() >= before + count, $"{count} clients come", () => $"{load.Output}\n{Nginx.Output}");
    }

    /// <summary>Waits until all nodes together have this many clients.</summary>
    public Task HasConnectionsAsync(int count, LoadGenerator load) =>
        Eventually.HoldsAsync(async () => (await ConnectionsAsync()).Values.Sum() == count, $"the nodes have {count} clients", () => $"{load.Output}\n{Nginx.Output}");

    private async Task<double> AcceptedAsync() =>
        (await Task.WhenAll(_nodes.Values.Select(Metrics.ScrapeAsync))).Sum(metrics => metrics["push_connections_accepted_total"]);

    /// <summary>A name server, or a node that is full, may answer as late as it likes.</summary>
    private static void WaitLonger(string directory)
    {
        Nginx.Replace(directory, "farm.conf", "resolver_timeout 2s;", "resolver_timeout 60s;");
        Nginx.Replace(directory, "clients.conf", "proxy_next_upstream_timeout 5s;", "proxy_next_upstream_timeout 60s;");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var started in (IAsyncDisposable?[])[_nginx, _names, .. _nodes.Values, _api, _redis])
        {
            if (started is not null)
                await started.DisposeAsync();
        }
    }
}
