using PushBackplane;

namespace PushApi.Tests.Hosting;

/// <summary>One of several servers of a backplane.</summary>
public sealed record FakeServer(string Description, bool IsUp) : IBackplaneServer
{
    public Task Away => IsUp ? Task.Delay(Timeout.Infinite) : Task.CompletedTask;

    public Task Up => IsUp ? Task.CompletedTask : Task.Delay(Timeout.Infinite);
}
