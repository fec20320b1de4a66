using PushHosting.Settings;
using PushNode.Connections;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Transport.IoUring;

/// <summary>Creates a ring for each shard, or logs once that io_uring is unavailable. Used by one thread while the node is built.</summary>
internal sealed class SendRings(ILogger<SendRings> logger)
{
    private bool _isUnavailable;

    /// <summary>Whether shards send through rings when these are available.</summary>
    /// <exception cref="SettingsException">The setting requires rings, but they are unavailable.</exception>
    public static bool AreUsed(SendKind setting, bool overEpoll)
    {
        var error = "Linux on x64 or arm64 only";
        var areUsed = overEpoll && setting != SendKind.Send;
        if (setting == SendKind.IoUring && !(areUsed && SendRing.IsSupported(out error)))
            throw new SettingsException($"{PushSettings.Section}:FanOut:Sends is 'IoUring', which is unavailable here ({error}); it accepts Auto or Send.");
        return areUsed;
    }

    /// <returns>A ring; null if the kernel or a sandbox refuses it, after which no further one is tried.</returns>
    public ISocketSender? Next()
    {
        if (_isUnavailable)
            return null;
        var ring = SendRing.TryCreate(out var error);
        _isUnavailable = ring is null;
        if (_isUnavailable)
            logger.RingsUnavailable(error!);
        return ring;
    }
}
