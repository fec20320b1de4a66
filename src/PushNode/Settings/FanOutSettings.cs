using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:FanOut</c>.</summary>
internal sealed class FanOutSettings
{
    /// <summary>Shards, each with a thread that writes frames to its connections; 0 means one for every two cores.</summary>
    [Number(0, 256)]
    public int Workers { get; set; }

    /// <summary>How frames are sent over the epoll transport. docs/adr/0011-io-uring.md has the cost of each.</summary>
    public SendKind Sends { get; set; } = SendKind.Auto;
}

/// <summary>How frames are sent to the sockets of the epoll transport.</summary>
internal enum SendKind
{
    /// <summary>IoUring if it is available, otherwise Send.</summary>
    Auto,

    /// <summary>One system call per frame and connection.</summary>
    Send,

    /// <summary>One system call for many connections, through an io_uring per shard.</summary>
    IoUring,
}
