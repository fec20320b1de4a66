using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace PushBackplane;

/// <summary>Says at start which backplane is in use.</summary>
internal sealed class BackplaneAnnouncement(IBackplane backplane, ILogger<BackplaneAnnouncement> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Log.BackplaneInUse(logger, backplane.Description);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
