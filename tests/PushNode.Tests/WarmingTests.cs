using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using PushNode.Settings;

namespace PushNode.Tests;

public sealed class WarmingTests
{
    [Fact]
    public async Task A_node_is_not_ready_before_its_start_is_compiled()
    {
        var lifetime = new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance);
        var warming = new Warming(new ConnectionSettings { WarmUpHandshakes = 1 }, lifetime, NullLogger<Warming>.Instance);
        Assert.NotNull(warming.NotReadyBecause);
        await warming.StartAsync(TestContext.Current.CancellationToken);
        Assert.NotNull(warming.NotReadyBecause);
        lifetime.NotifyStarted();
        await Eventually.HoldsAsync(() => warming.NotReadyBecause is null, "the node is ready");
    }

    [Fact]
    public async Task A_node_that_need_not_be_warm_is_ready()
    {
        var warming = new Warming(new ConnectionSettings { WarmUpHandshakes = 0 }, new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance), NullLogger<Warming>.Instance);
        Assert.Null(warming.NotReadyBecause);
        await warming.StartAsync(TestContext.Current.CancellationToken);
        Assert.Null(warming.NotReadyBecause);
    }
}
