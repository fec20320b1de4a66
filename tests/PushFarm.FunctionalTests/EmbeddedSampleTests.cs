using System.Diagnostics;
using System.Net;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>samples/Embedded as a process: an application with a node of its own.</summary>
public sealed class EmbeddedSampleTests
{
    /// <summary>A Redis that a busy machine stops for seconds is not away.</summary>
    private static readonly (string, string) BearsStalls = ("Backplane__CanaryTimeout", "00:01:00");

    [Fact]
    public async Task The_samples_clients_get_what_it_publishes_and_a_hint_when_it_ends()
    {
        await using var sample = await Sample.StartAsync();
        // The application's own pages keep their connection.
        using (var page = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, sample.Port)))
        {
            for (var request = 0; request < 2; request++)
            {
                await page.SendAsync(RawClient.Get("/bid"));
                Assert.Equal(200, await page.ReadAnswerAsync());
            }
        }

        await using var socket = await WsClient.ConnectAsync(sample.Port, "/live/ws?room=auction");
        await socket.NextAsync("JOINED");
        await using var events = await StreamClient.ConnectAsync(sample.Port, "/live/sse?room=auction");
        await events.NextAsync("JOINED");
        Assert.Equal("""{"highest":10,"nodes":1}""", (await sample.BidAsync(10)).Body);
        Assert.Equal(["""{"bidder":"Ann","amount":10}"""], (await socket.NextAsync("PUSH")).Items);
        Assert.Equal(["""{"bidder":"Ann","amount":10}"""], (await events.NextAsync("PUSH")).Items);
        Assert.Equal(HttpStatusCode.Conflict, (await sample.BidAsync(9)).Status);
        Assert.Equal("text/html", (await Http.GetAsync(sample.Port, "/")).MediaType);

        sample.Terminate();
        var end = await socket.EndAsync();
        Assert.Equal(1001, end.Code);
        Assert.StartsWith("retry=", end.Reason, StringComparison.Ordinal);
        Assert.Equal(1001, (await events.EndAsync()).Code);
        Assert.Equal(0, await sample.ExitAsync());
    }

    [Fact]
    public async Task Two_samples_on_one_Redis_share_their_clients_and_survive_its_end()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var first = await Sample.StartAsync(("ConnectionStrings__Redis", redis.EndPoint), BearsStalls);
        await using var second = await Sample.StartAsync(("ConnectionStrings__Redis", redis.EndPoint), BearsStalls);
        await using var client = await WsClient.ConnectAsync(second.Port, "/live/ws?room=auction");
        await client.NextAsync("JOINED");
        Assert.Equal("""{"highest":10,"nodes":1}""", (await first.BidAsync(10)).Body);
        Assert.Equal(["""{"bidder":"Ann","amount":10}"""], (await client.NextAsync("PUSH")).Items);

        await redis.StopAsync();
        await Eventually.HoldsAsync(async () => await Http.StatusAsync(first.Port, "/health") == HttpStatusCode.ServiceUnavailable, "the first misses Redis");
        Assert.Equal("""{"highest":11,"nodes":null}""", (await first.BidAsync(11)).Body);
        Assert.Equal(200, (int)(await Http.GetAsync(first.Port, "/")).Status);
    }

    /// <summary>One process; killed when disposed.</summary>
    private sealed class Sample : IAsyncDisposable
    {
        private readonly ProgramOutput _output = new();
        private readonly Process _process;

        private Sample((string Key, string Value)[] settings) => _process = BuiltProgram.Start(
            "samples/Embedded", settings, ["--urls", $"http://127.0.0.1:{Port}", "--contentRoot", Repository.PathTo("samples/Embedded")], _output);

        public int Port { get; } = FreePort.Next();

        public static async Task<Sample> StartAsync(params (string Key, string Value)[] settings)
        {
            var sample = new Sample(settings);
            await Eventually.HoldsAsync(async () => await Http.StatusAsync(sample.Port, "/health") == HttpStatusCode.OK, "the sample is healthy", sample._output.ToString);
            return sample;
        }

        public Task<HttpAnswer> BidAsync(int amount) => Http.PostAsync(Port, "/bid", Http.Json, $$"""{"bidder":"Ann","amount":{{amount}}}""");

        public void Terminate() => Signals.Send(_process.Id, Signals.Terminate);

        public async Task<int> ExitAsync()
        {
            await Eventually.CompletesAsync(_process.WaitForExitAsync(TestContext.Current.CancellationToken), "the sample's end", _output.ToString);
            return _process.ExitCode;
        }

        public async ValueTask DisposeAsync()
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
            _process.Dispose();
        }
    }
}
