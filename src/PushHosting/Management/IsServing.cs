using Microsoft.Extensions.Hosting;

namespace PushHosting;

/// <summary>Ready only while the application's own listener is open, before which management opens and after which it closes.</summary>
internal sealed class IsServing(IHostApplicationLifetime lifetime) : IReadiness
{
    public string? NotReadyBecause =>
        lifetime.ApplicationStopping.IsCancellationRequested ? "The program is stopping."
        : lifetime.ApplicationStarted.IsCancellationRequested ? null
        : "The program is starting.";
}
