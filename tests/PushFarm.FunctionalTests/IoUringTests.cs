using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>A node in a sandbox that forbids io_uring, as Docker's default profile does.</summary>
public sealed class IoUringTests
{
    [Fact]
    public async Task Without_io_uring_frames_are_sent_one_by_one_and_the_log_says_so_once()
    {
        await using var node = await Sandbox.Run(() =>
        {
            Sandbox.Forbid(Sandbox.IoUringSetup, Sandbox.EPERM);
            return ProgramProcess.StartFarmAsync(("Push:FanOut:Workers", "3"), ("Push:Transport", "Auto"));
        });
        await ServesAsync(node);
        await EndAsync(node);
        Assert.Equal(2, node.Output.Split("io_uring").Length);
        Assert.Contains("Operation not permitted", node.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requiring_io_uring_where_it_is_forbidden_stops_the_program()
    {
        await using var node = Sandbox.Run(() =>
        {
            Sandbox.Forbid(Sandbox.IoUringSetup, Sandbox.ENOSYS);
            return ProgramProcess.Start("PushNode", [("Management:Port", $"{FreePort.Next()}"), ("Push:FanOut:Sends", "IoUring")], ["--urls", $"http://127.0.0.1:{FreePort.Next()}"]);
        });
        Assert.Equal(1, await node.ExitAsync());
        Assert.Equal("Push:FanOut:Sends is 'IoUring', which is unavailable here (Function not implemented); it accepts Auto or Send.", node.Errors.Trim());
    }

    [Fact]
    public async Task Available_io_uring_is_not_logged()
    {
        Assert.SkipUnless(Sandbox.AllowsIoUring, "This machine, or a sandbox, has no io_uring.");
        await using var node = await ProgramProcess.StartFarmAsync(("Push:Transport", "Auto"));
        await ServesAsync(node);
        await EndAsync(node);
        Assert.DoesNotContain("io_uring", node.Log, StringComparison.Ordinal);
    }

    /// <summary>More members than shards, so that frames go to several sockets at once.</summary>
    private static async Task ServesAsync(ProgramProcess node)
    {
        var room = Room.New();
        var members = await Member.JoinAsync(node, room, 60);
        for (var n = 0; n < 3; n++)
            await Http.PublishAsync(node, room, $"{{\"n\":{n}}}");
        await Member.SawAllAsync(members, 3, node);
        foreach (var member in members)
            await member.DisposeAsync();
    }

    /// <summary>Then its log is whole.</summary>
    private static async Task EndAsync(ProgramProcess node)
    {
        node.Signal(Signals.Terminate);
        Assert.Equal(0, await node.ExitAsync());
    }
}
