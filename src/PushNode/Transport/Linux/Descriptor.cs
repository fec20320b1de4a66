using System.ComponentModel;
using System.Net;
using System.Runtime.InteropServices;

namespace PushNode.Transport.Linux;

/// <summary>Operations on a non-blocking socket, given its descriptor. Retries after EINTR. Stateless; any thread.</summary>
internal static unsafe class Descriptor
{
    /// <summary>The largest socket address, an IPv6 one, with room to spare.</summary>
    private const int MaxAddress = 64;

    /// <summary>Sends as much as the kernel takes now.</summary>
    /// <param name="descriptor">The socket.</param>
    /// <param name="bytes">The bytes to send.</param>
    /// <param name="more">
    /// Whether the kernel may hold the bytes back to send them in one segment with those that follow. It waits for these, for
    /// <see cref="Push"/> or for 200 ms.
    /// </param>
    /// <returns>How many bytes it took; 0 also if the connection is gone, which its reader will see.</returns>
    public static int Send(int descriptor, ReadOnlySpan<byte> bytes, bool more = false)
    {
        var flags = Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL | (more ? Libc.MSG_MORE : 0);
        fixed (byte* start = bytes)
        {
            nint sent;
            do
            {
                sent = Libc.Send(descriptor, start, bytes.Length, flags);
            }
            while (sent < 0 && Marshal.GetLastPInvokeError() == Libc.EINTR);
            return (int)Math.Max(0, sent);
        }
    }

    /// <summary>Sends the bytes that the kernel holds back because more were to follow.</summary>
    public static void Push(int descriptor)
    {
        // Accepted sockets have this option already; setting it again empties the queue.
        var on = 1;
        _ = Libc.SetOption(descriptor, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, &on, sizeof(int));
    }

    /// <summary>
    /// Limits the unsent bytes of a socket, or of each socket that a listening socket accepts. Linux applies the limit to send(2) and
    /// io_uring as it does to epoll: docs/architecture.md has the measurement.
    /// </summary>
    public static void LimitUnsent(int descriptor, int bytes) =>
        Check(Libc.SetOption(descriptor, Libc.IPPROTO_TCP, Libc.TCP_NOTSENT_LOWAT, &bytes, sizeof(int)));

    /// <summary>
    /// Lets other processes of the same user listen on the same port, if they ask for it too (socket(7), SO_REUSEPORT). Call it before bind.
    /// </summary>
    public static void SharePort(int descriptor)
    {
        var on = 1;
        Check(Libc.SetOption(descriptor, Libc.SOL_SOCKET, Libc.SO_REUSEPORT, &on, sizeof(int)));
    }

    /// <summary>
    /// Makes the kernel break the connection when the peer acknowledges nothing for this long, or takes nothing (tcp(7), TCP_USER_TIMEOUT).
    /// Otherwise it goes on for 15 minutes.
    /// </summary>
    public static void LimitUnacknowledged(int descriptor, TimeSpan time)
    {
        var milliseconds = Milliseconds(time);
        // Fails only if the connection has ended meanwhile.
        _ = Libc.SetOption(descriptor, Libc.IPPROTO_TCP, Libc.TCP_USER_TIMEOUT, &milliseconds, sizeof(int));
    }

    /// <summary>A time as the kernel takes it; above 0, which would mean its own default.</summary>
    public static int Milliseconds(TimeSpan time) => (int)Math.Clamp(time.TotalMilliseconds, 1, int.MaxValue);

    /// <summary>Receives the bytes that have arrived.</summary>
    /// <returns>How many bytes; 0 at the end of the stream, negative if the connection is broken, null if there are none yet.</returns>
    public static int? Receive(int descriptor, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var received = Libc.Receive(descriptor, start, buffer.Length, Libc.MSG_DONTWAIT);
                if (received >= 0)
                    return (int)received;
                var error = Marshal.GetLastPInvokeError();
                if (error == Libc.EAGAIN)
                    return null;
                if (error != Libc.EINTR)
                    return -1;
            }
        }
    }

    /// <summary>Accepts a connection, non-blocking.</summary>
    /// <param name="listener">The listening socket.</param>
    /// <param name="remote">The client's address.</param>
    /// <param name="error">The error number if the result is negative.</param>
    /// <returns>The descriptor, or a negative number.</returns>
    public static int Accept(int listener, out IPEndPoint? remote, out int error)
    {
        var address = stackalloc byte[MaxAddress];
        var length = MaxAddress;
        var descriptor = Libc.Accept(listener, address, &length, Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC);
        error = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        remote = descriptor < 0 ? null : EndPoint(new ReadOnlySpan<byte>(address, length));
        return descriptor;
    }

    /// <summary>The local address of a connection.</summary>
    public static IPEndPoint? Local(int descriptor)
    {
        var address = stackalloc byte[MaxAddress];
        var length = MaxAddress;
        return Libc.LocalName(descriptor, address, &length) < 0 ? null : EndPoint(new ReadOnlySpan<byte>(address, length));
    }

    /// <summary>Ends the connection and discards unsent bytes. Its loop then sees the end.</summary>
    public static void Reset(int descriptor)
    {
        var linger = stackalloc int[2] { 1, 0 };
        _ = Libc.SetOption(descriptor, Libc.SOL_SOCKET, Libc.SO_LINGER, linger, 2 * sizeof(int));
        _ = Libc.Shutdown(descriptor, Libc.SHUT_RDWR);
    }

    /// <summary>Ends the connection in both directions; accepted bytes are still sent. Its loop then sees the end.</summary>
    public static void End(int descriptor) => _ = Libc.Shutdown(descriptor, Libc.SHUT_RDWR);

    /// <summary>The maximum number of descriptors of the process. All their numbers are lower.</summary>
    public static int Limit()
    {
        var limit = stackalloc ulong[2];
        Check(Libc.GetLimit(Libc.RLIMIT_NOFILE, limit));
        return (int)Math.Min(limit[0], int.MaxValue);
    }

    /// <summary>The lowest free descriptor number, which the next descriptor would get; null if there is none.</summary>
    public static int? Next()
    {
        var next = Libc.EventDescriptor(0, Libc.EFD_CLOEXEC);
        if (next < 0)
            return null;
        Close(next);
        return next;
    }

    /// <summary>Closes the descriptor. Its number may be reused from then on.</summary>
    public static void Close(int descriptor) => _ = Libc.Close(descriptor);

    /// <summary>Throws if a system call failed that cannot fail in a healthy process.</summary>
    public static int Check(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());

    private static IPEndPoint? EndPoint(ReadOnlySpan<byte> address)
    {
        var family = address.Length < 2 ? 0 : BitConverter.ToUInt16(address);
        var port = address.Length < 4 ? 0 : address[2] << 8 | address[3];
        return family switch
        {
            2 when address.Length >= 8 => new IPEndPoint(new IPAddress(address.Slice(4, 4)), port),
            10 when address.Length >= 28 => new IPEndPoint(new IPAddress(address.Slice(8, 16), BitConverter.ToUInt32(address[24..])), port),
            _ => null,
        };
    }
}
