using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Npm;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>permessage-deflate with libraries that others have written.</summary>
[Collection(EpollFarmDefinition.Name)]
public sealed class DeflateInteropTests(FarmFixture fixture) : IClassFixture<MessagePackJs>
{
    private const string Answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    private const string PythonModule = "/usr/lib/python3/dist-packages/websockets/__init__.py";

    [Theory]
    [InlineData("""{}""", Answer)]
    [InlineData("""{"perMessageDeflate":false}""", "none")]
    [InlineData("""{"perMessageDeflate":{"threshold":0}}""", Answer)]
    [InlineData("""{"perMessageDeflate":{"threshold":0,"serverNoContextTakeover":true,"clientNoContextTakeover":true,"clientMaxWindowBits":9}}""", Answer)]
    [InlineData("""{"perMessageDeflate":{"serverMaxWindowBits":15}}""", $"{Answer}; server_max_window_bits=15")]
    [InlineData("""{"perMessageDeflate":{"serverMaxWindowBits":10}}""", "none")]
    public Task Ws_sends_and_receives(string options, string extension) =>
        TalksAsync(extension, room => Tool.Start("node", [Path.Combine(AppContext.BaseDirectory, "Npm", "deflate.js"), Url(room), options]));

    [Theory]
    [InlineData("deflate", Answer)]
    [InlineData("none", "none")]
    [InlineData("""{"server_max_window_bits":15,"client_max_window_bits":9}""", $"{Answer}; server_max_window_bits=15")]
    [InlineData("""{"server_max_window_bits":12}""", "none")]
    public Task Python_websockets_sends_and_receives(string compression, string extension)
    {
        InstalledProgram.Find(PythonModule);
        return TalksAsync(extension, room => Tool.Start("/usr/bin/python3", [Path.Combine(AppContext.BaseDirectory, "Python", "deflate.py"), Url(room), compression]));
    }

    private async Task TalksAsync(string extension, Func<string, Tool> start)
    {
        var room = Room.New();
        var before = await DeflatedAsync();
        await using var client = start(room);
        await client.WroteAsync("JOINED");
        await client.WroteAsync("PONG long");
        var text = string.Concat(Enumerable.Repeat("默认房间 ", 500));
        await Http.PublishAsync(fixture.Farm, room, $"\"{text}\"");
        await client.WroteAsync("closed 1000");
        Assert.Contains($"extension {extension}\n", client.Output, StringComparison.Ordinal);
        Assert.Contains($"PUSH  {text}\n", client.Output, StringComparison.Ordinal);
        Assert.Equal(extension == "none" ? 0 : 1, await DeflatedAsync() - before);
    }

    private string Url(string room) => $"ws://127.0.0.1:{fixture.Farm.NodePort}/ws?room={room}";

    private async Task<double> DeflatedAsync() => (await Metrics.ScrapeAsync(fixture.Farm))["push_batches_encoded_total{variant=\"json_deflate\"}"];
}
