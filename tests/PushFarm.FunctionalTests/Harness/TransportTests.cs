using TestSupport.Processes;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>Tests of what a client sees, which is the same over each transport: a class of them has one subclass for each.</summary>
public abstract class TransportTests
{
    protected TransportTests(NodeTransport transport)
    {
        Assert.SkipUnless(transport != NodeTransport.IoUring || Sandbox.AllowsIoUring, "This machine, or a sandbox, has no io_uring.");
        TransportSettings = Settings(transport);
    }

    internal (string Key, string Value)[] TransportSettings { get; }

    internal static (string Key, string Value)[] Settings(NodeTransport transport) => transport switch
    {
        NodeTransport.Epoll => [("Push:Transport", "Epoll"), ("Push:FanOut:Sends", "Send")],
        NodeTransport.IoUring => [("Push:Transport", "Epoll"), ("Push:FanOut:Sends", "IoUring")],
        _ => [("Push:Transport", "Stream")],
    };

    internal Task<ProgramProcess> StartFarmAsync(params (string Key, string Value)[] settings) => ProgramProcess.StartFarmAsync([.. TransportSettings, .. settings]);

    internal Task<ProgramProcess> StartNodeAsync(RedisProcess redis, params (string Key, string Value)[] settings) => ProgramProcess.StartNodeAsync(redis, [.. TransportSettings, .. settings]);
}
