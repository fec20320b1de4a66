using PushNode.Connections;
using PushNode.Telemetry;

namespace PushNode.Transport.IoUring;

/// <summary>Makes the rings of the fan-out workers, or says once that there are none. Used while the node is put together.</summary>
internal sealed class SendRings(ILogger<SendRings> log)
{
    private bool _isRefused;

    /// <returns>A ring; null when the kernel or a sandbox does not let us have one, and none will be tried again.</returns>
    public ISocketSender? Next()
    {
        if (_isRefused)
            return null;
        var ring = SendRing.TryCreate(out var refusal);
        _isRefused = ring is null;
        if (_isRefused)
            log.SendsOneByOne(refusal!);
        return ring;
    }
}
