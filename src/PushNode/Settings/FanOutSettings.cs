using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:FanOut</c>.</summary>
internal sealed class FanOutSettings
{
    /// <summary>Shards, each with a thread that writes frames to its connections; 0 means one for every two cores.</summary>
    [Number(0, 256)]
    public int Workers { get; set; }

    /// <summary>How frames are sent over the epoll transport. docs/adr/0011-io-uring.md has what each costs.</summary>
    public SendKind Sends { get; set; } = SendKind.Auto;
}

/// <summary>How frames get to the sockets of the epoll transport.</summary>
internal enum SendKind
{
    /// <summary>IoUring where the kernel has it and lets the node use it, Send elsewhere.</summary>
    Auto,

    /// <summary>A system call for each.</summary>
    Send,

    /// <summary>A system call for many, through an io_uring of each fan-out worker.</summary>
    IoUring,
}
