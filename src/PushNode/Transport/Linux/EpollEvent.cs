using System.Runtime.InteropServices;

namespace PushNode.Transport.Linux;

/// <summary>struct epoll_event in a buffer; it is packed on x64 only.</summary>
internal static unsafe class EpollEvent
{
    /// <summary>Its largest size on any architecture.</summary>
    public const int MaxSize = 16;

    private static readonly int KeyOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int Size = KeyOffset + 8;

    /// <summary>Reads one of the events that epoll_wait returned.</summary>
    public static (uint Events, ulong Key) Read(byte* buffer, int index)
    {
        var at = buffer + index * Size;
        return (*(uint*)at, *(ulong*)(at + KeyOffset));
    }

    /// <summary>Writes the only event of a buffer, for epoll_ctl.</summary>
    public static void Write(byte* buffer, uint events, ulong key)
    {
        *(uint*)buffer = events;
        *(ulong*)(buffer + KeyOffset) = key;
    }
}
