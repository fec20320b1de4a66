[assembly: AssemblyFixture(typeof(PushFarm.FunctionalTests.Harness.FarmFixture))]

namespace PushFarm.FunctionalTests.Harness;

/// <summary>One PushFarm on the memory bus with default settings, for every test that needs no other.</summary>
public sealed class FarmFixture : IAsyncLifetime
{
    private ProgramProcess? _farm;

    internal ProgramProcess Farm => _farm ?? throw new InvalidOperationException("The farm is not started.");

    internal int NodePort => Farm.NodePort;

    public async ValueTask InitializeAsync() => _farm = await ProgramProcess.StartFarmAsync();

    public ValueTask DisposeAsync() => _farm?.DisposeAsync() ?? ValueTask.CompletedTask;
}
