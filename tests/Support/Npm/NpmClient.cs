using System.Text;
using System.Text.Json;
using TestSupport.Clients;

namespace TestSupport.Npm;

/// <summary>
/// A WebSocket client that people use: npm's ws, with @msgpack/msgpack for binary messages, as a process (client.js). For one caller at a time;
/// <see cref="MessagePackJs"/> installs the packages.
/// </summary>
public sealed class NpmClient : IAsyncDisposable
{
    private readonly NodeProcess _process;

    private NpmClient(string url, bool deflate, string[] subprotocols) =>
        _process = new NodeProcess(MessagePackJs.InstallDirectory, "client.js", url, deflate ? "true" : "false", string.Join(',', subprotocols));

    /// <summary>What the server chose; empty if nothing.</summary>
    public string Subprotocol { get; private set; } = "";

    /// <summary>What the server accepted; empty if nothing.</summary>
    public string Extensions { get; private set; } = "";

    /// <summary>Connects and requires that the server accepts.</summary>
    public static async Task<NpmClient> ConnectAsync(int port, bool deflate, params string[] subprotocols)
    {
        var client = new NpmClient($"ws://127.0.0.1:{port}/ws", deflate, subprotocols);
        var opened = await client.NextEventAsync("opened");
        client.Subprotocol = opened.GetProperty("opened").GetString()!;
        client.Extensions = opened.GetProperty("extensions").GetString()!;
        return client;
    }

    /// <summary>Sends a text message.</summary>
    public Task SendTextAsync(string text) => _process.SendAsync($$"""{"text":{{JsonSerializer.Serialize(text)}}}""");

    /// <summary>Sends a value as MessagePack.</summary>
    /// <param name="json">The value.</param>
    public Task SendValueAsync(string json) => _process.SendAsync($$"""{"value":{{json}}}""");

    /// <summary>Sends a binary message.</summary>
    public Task SendBinaryAsync(byte[] bytes) => _process.SendAsync($$"""{"hex":"{{Convert.ToHexStringLower(bytes)}}"}""");

    /// <summary>The next message, which must have come in a binary frame or in a text frame.</summary>
    public async Task<ServerMessage> NextAsync(bool isBinary = true)
    {
        var next = await NextEventAsync("message");
        Assert.Equal(isBinary, next.GetProperty("binary").GetBoolean());
        return ServerMessage.Parse(Encoding.UTF8.GetBytes(next.GetProperty("message").GetRawText()));
    }

    /// <summary>The close frame.</summary>
    public async Task<(int Code, string Reason)> EndAsync()
    {
        var end = await NextEventAsync("closed");
        return (end.GetProperty("closed").GetInt32(), end.GetProperty("reason").GetString()!);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task<JsonElement> NextEventAsync(string name)
    {
        var next = await _process.NextAsync(name);
        Assert.True(next.TryGetProperty(name, out _), $"expected {name}, got {next}");
        return next;
    }
}
