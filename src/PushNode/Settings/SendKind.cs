namespace PushNode.Settings;

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
