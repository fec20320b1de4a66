using RedisPush.Publisher;
using TestSupport.Processes;

namespace RedisPush.Client.Tests;

/// <summary>One PushFarm on the memory backplane, and a publisher for it. Classes that share it use rooms of their own.</summary>
public sealed class FarmFixture : IAsyncLifetime
{
    private HttpPublisher? _publisher;

    internal ProgramProcess Farm { get; private set; } = null!;

    internal HttpPublisher Publisher => _publisher!;

    internal Uri Url => new(Farm.WebSocketUrl);

    public async ValueTask InitializeAsync()
    {
        Farm = await ProgramProcess.StartFarmAsync(("Push:Merge:Window", "00:00:00.05"), ("Push:Merge:Gather", "00:00:00.005"));
        _publisher = new HttpPublisher(new HttpPublisherOptions { Url = new Uri(Farm.ApiUrl) });
    }

    public async ValueTask DisposeAsync()
    {
        _publisher?.Dispose();
        await Farm.DisposeAsync();
    }

    /// <summary>A room that no other test uses.</summary>
    internal static string NewRoom() => $"room-{Guid.NewGuid():N}";
}
