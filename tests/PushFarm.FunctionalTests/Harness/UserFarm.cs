using System.Text;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>Redis, an API and nodes that verify tokens; each part can be stopped and started again. Skips the test if Redis is not installed.</summary>
internal sealed class UserFarm : IAsyncDisposable
{
    private readonly (string Key, string Value)[] _settings;
    private readonly List<ProgramProcess> _nodes = [];

    private UserFarm(RedisProcess redis, (string Key, string Value)[] settings) => (Redis, _settings) = (redis, settings);

    public RedisProcess Redis { get; }

    public ProgramProcess Api { get; private set; } = null!;

    public IReadOnlyList<ProgramProcess> Nodes => _nodes;

    public static async Task<UserFarm> StartAsync(int nodes, params (string Key, string Value)[] settings)
    {
        var farm = new UserFarm(await RedisProcess.StartNewAsync(), settings);
        farm.Api = await ProgramProcess.StartApiAsync(farm.Redis);
        for (var i = 0; i < nodes; i++)
            farm._nodes.Add(await farm.StartNodeAsync());
        return farm;
    }

    /// <summary>The settings of a node that verifies tokens.</summary>
    public static (string Key, string Value)[] Tokens => ClientToken.Settings("Optional");

    /// <summary>A token of a user who may join every room and send into it.</summary>
    public static string Token(string user) => ClientToken.Make($"\"sub\":{WsClient.Quote(user)},\"join\":[\"*\"],\"send\":[\"*\"]");

    /// <summary>A device of a user, in a room.</summary>
    public static async Task<WsClient> ConnectAsync(ProgramProcess node, string user, string room)
    {
        var client = await WsClient.ConnectAsync(node.NodePort, $"/ws?token={Token(user)}&room={Uri.EscapeDataString(room)}");
        await client.NextAsync("JOINED");
        return client;
    }

    /// <summary>Sends a request to the API.</summary>
    public async Task<HttpAnswer> CallAsync(HttpMethod method, string path, string? json = null)
    {
        using var request = new HttpRequestMessage(method, new Uri($"{Api.ApiUrl}{path}"));
        if (json is not null)
            request.Content = new StringContent(json, Encoding.UTF8, Http.Json);
        return await Http.SendAsync(request);
    }

    /// <summary>Replaces a node by a new process.</summary>
    public async Task RestartAsync(int node)
    {
        await _nodes[node].DisposeAsync();
        _nodes[node] = await StartNodeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        if (Api is not null)
            await Api.DisposeAsync();
        await Redis.DisposeAsync();
    }

    private Task<ProgramProcess> StartNodeAsync() => ProgramProcess.StartNodeAsync(Redis, [.. Tokens, .. _settings]);
}
