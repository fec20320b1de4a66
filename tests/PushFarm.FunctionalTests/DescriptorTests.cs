using System.Diagnostics;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>A process without free descriptors serves its clients, lets new ones wait, and does not spin.</summary>
public sealed class DescriptorTests
{
    private const int Limit = 300;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_free_descriptors_new_clients_wait_and_others_are_served(bool isLoweredWhileItRuns)
    {
        await using var farm = await ProgramProcess.StartFarmWithDescriptorsAsync(isLoweredWhileItRuns ? null : Limit, ("Push:Transport", "Epoll"));
        if (isLoweredWhileItRuns)
            await LowerAsync(farm);
        var room = Room.New();
        var clock = Stopwatch.StartNew();
        var clients = new List<WsClient>();
        // More clients than descriptors, so that some handshakes go unanswered.
        var waiting = new List<Task<WsClient>>();
        while (waiting.Count < Limit)
            waiting.Add(WsClient.ConnectAsync(farm.NodePort, $"/ws?room={room}", patient: true));
        await Metrics.UntilAsync(farm, metrics => metrics["push_accept_pauses_total"] >= 1, "accepting pauses");
        await Eventually.HoldsAsync(
            async () =>
            {
                var accepted = (await Metrics.ScrapeAsync(farm))["push_connections_accepted_total"];
                return accepted > 0 && waiting.Count(task => task.IsCompleted) == accepted;
            },
            "those that have a place are served");
        clients.AddRange(waiting.Where(task => task.IsCompletedSuccessfully).Select(task => task.Result));
        waiting.RemoveAll(task => task.IsCompleted);
        Assert.NotEmpty(waiting);

        // A loop that spins would use two seconds of CPU each time. One that pauses uses almost none, once what the handshakes need is compiled.
        await Eventually.HoldsAsync(
            async () => await CpuTimeWhileItWaitsAsync(farm) < TimeSpan.FromSeconds(1), "the process does not spin", () => farm.Log);
        await farm.WroteAsync("Out of descriptors");
        // Once every ten seconds.
        var logged = farm.Output.Split('\n').Count(line => line.Contains("Out of descriptors", StringComparison.Ordinal));
        Assert.InRange(logged, 1, 1 + (int)(clock.Elapsed.TotalSeconds / 10));

        await Http.PublishAsync(farm, room, "1");
        foreach (var client in clients)
        {
            await client.NextAsync("JOINED");
            await client.NextItemsAsync(room, 1);
        }

        // Each client that leaves makes room for one that waits.
        while (waiting.Count > 0)
        {
            Assert.NotEmpty(clients);
            foreach (var client in clients)
                client.Reset();
            clients.Clear();
            await Eventually.HoldsAsync(() => waiting.Exists(task => task.IsCompleted), "somebody who waited is let in", () => farm.Log);
            clients.AddRange(waiting.Where(task => task.IsCompleted).Select(task => task.Result));
            waiting.RemoveAll(task => task.IsCompleted);
        }

        await clients[0].NextAsync("JOINED");
        await clients[0].PingAsync();
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    private static async Task LowerAsync(ProgramProcess program)
    {
        using var prlimit = Process.Start("prlimit", ["--pid", $"{program.Pid}", $"--nofile={Limit}:{Limit}"]);
        await prlimit.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, prlimit.ExitCode);
    }

    /// <summary>What the process uses in two seconds or more, in which it answers.</summary>
    private static async Task<TimeSpan> CpuTimeWhileItWaitsAsync(ProgramProcess program)
    {
        var before = CpuTime(program);
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < TimeSpan.FromSeconds(2))
        {
            Assert.Equal(System.Net.HttpStatusCode.OK, await Http.StatusAsync(program.ManagementPort, "/healthz"));
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }

        return CpuTime(program) - before;
    }

    private static TimeSpan CpuTime(ProgramProcess program)
    {
        using var process = Process.GetProcessById(program.Pid);
        return process.TotalProcessorTime;
    }
}
