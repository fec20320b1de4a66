using TestSupport.Processes;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>One PushFarm on the memory backplane with default settings for each transport. Each collection has its own, since a broadcast reaches all clients.</summary>
public sealed class FarmFixture : IAsyncLifetime
{
    private ProgramProcess? _farm;
    private ProgramProcess? _streamFarm;

    /// <summary>The one with nothing set: what an operator gets.</summary>
    internal ProgramProcess Farm => _farm ?? throw new InvalidOperationException("The farm is not started.");

    /// <summary>On Linux, where the tests run, nothing set is epoll.</summary>
    internal ProgramProcess Over(NodeTransport transport) => transport == NodeTransport.Epoll ? Farm : _streamFarm!;

    public async ValueTask InitializeAsync()
    {
        _farm = await ProgramProcess.StartFarmAsync();
        _streamFarm = await ProgramProcess.StartFarmAsync(TransportTests.Settings(NodeTransport.Stream));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var farm in (ProgramProcess?[])[_farm, _streamFarm])
        {
            if (farm is not null)
                await farm.DisposeAsync();
        }
    }
}
