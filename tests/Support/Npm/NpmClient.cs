using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using TestSupport.Clients;
using TestSupport.Processes;

namespace TestSupport.Npm;

/// <summary>
/// A WebSocket client that people use: npm's ws, with @msgpack/msgpack for binary messages, as a process (client.js). For one caller at a time;
/// <see cref="MessagePackJs"/> installs the packages.
/// </summary>
public sealed class NpmClient : IAsyncDisposable
{
    private readonly Channel<string> _events = Channel.CreateUnbounded<string>();
    private readonly StringBuilder _errors = new();
    private readonly Process _process;

    private NpmClient(string url, bool deflate, string[] subprotocols)
    {
        string[] arguments = ["client.js", url, deflate ? "true" : "false", string.Join(',', subprotocols)];
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(InstalledProgram.Find("node"), arguments)
            {
                WorkingDirectory = MessagePackJs.InstallDirectory,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => _errors.AppendLine(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

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
    public Task SendTextAsync(string text) => SendAsync($$"""{"text":{{JsonSerializer.Serialize(text)}}}""");

    /// <summary>Sends a value as MessagePack.</summary>
    /// <param name="json">The value.</param>
    public Task SendValueAsync(string json) => SendAsync($$"""{"value":{{json}}}""");

    /// <summary>Sends a binary message.</summary>
    public Task SendBinaryAsync(byte[] bytes) => SendAsync($$"""{"hex":"{{Convert.ToHexStringLower(bytes)}}"}""");

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

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
            _events.Writer.TryComplete();
        else
            _events.Writer.TryWrite(line);
    }

    private async Task SendAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync(CancellationToken.None);
    }

    private async Task<JsonElement> NextEventAsync(string name)
    {
        try
        {
            var line = await Eventually.CompletesAsync(_events.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask(), name, () => _errors.ToString());
            using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 128 });
            Assert.True(document.RootElement.TryGetProperty(name, out _), $"expected {name}, got {line}");
            return document.RootElement.Clone();
        }
        catch (ChannelClosedException)
        {
            throw new InvalidOperationException($"The client ended instead of telling {name}: {_errors}");
        }
    }
}
