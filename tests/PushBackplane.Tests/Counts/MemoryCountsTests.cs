using PushBackplane.Counts;

namespace PushBackplane.Tests.Counts;

/// <summary>Counts inside one process.</summary>
public sealed class MemoryCountsTests(ITestOutputHelper output) : CountsContract(output)
{
    // A busy machine must not end a lease.
    private protected override Task<IFarmCounts> StartAsync() => Task.FromResult<IFarmCounts>(new MemoryFarmCounts(null!, new ManualTime()));

    [Fact]
    public async Task A_node_without_a_report_is_forgotten_at_the_end_of_its_lease()
    {
        var time = new ManualTime();
        var counts = new MemoryFarmCounts(null!, time);
        var node = new TestNode(counts, "a");
        await node.ReportAsync([("demo", 3)]);
        time.Advance(IFarmCounts.Lease);
        Assert.Equal(3, (await counts.RoomAsync(Names.Room("demo"))).Value!.Online);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, (await counts.RoomAsync(Names.Room("demo"))).Value!.Online);
        Assert.Equal(ReportResult.Lost, (await node.TryReportAsync([("demo", 3)])).Result);
        await node.ReportAsync([("demo", 4)], first: true);
        Assert.Equal(4, (await counts.RoomAsync(Names.Room("demo"))).Value!.Online);
    }
}
