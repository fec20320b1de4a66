using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:FanOut</c>.</summary>
internal sealed class FanOutSettings
{
    /// <summary>Threads that write frames to connections; 0 means one for every two cores.</summary>
    [Number(0, 256)]
    public int Workers { get; set; }

    /// <summary>Sets over which connections are spread, each with a lock of its own; 0 means eight for every worker.</summary>
    [Number(0, 4096)]
    public int Shards { get; set; }

    /// <summary>How frames are sent over the epoll transport. docs/adr/0011-io-uring.md has what each costs.</summary>
    public SendKind Sends { get; set; } = SendKind.Auto;
}
