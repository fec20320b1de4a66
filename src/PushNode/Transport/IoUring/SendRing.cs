using System.Buffers;
using System.ComponentModel;
using System.Runtime.InteropServices;
using PushNode.Connections;
using PushNode.Transport.Linux;
using static PushNode.Transport.Linux.RingCalls;

namespace PushNode.Transport.IoUring;

/// <summary>
/// Sends through an io_uring: one system call for many sends. Each send is done when it is submitted, because none may wait
/// (MSG_DONTWAIT), so nothing is in flight between two calls of <see cref="Send"/>. Sends that the ring rejects are left to send(2).
/// Owned and used by one thread.
/// </summary>
internal sealed unsafe class SendRing : ISocketSender
{
    /// <summary>
    /// The number of sends in one call. The gates of their connections are held during it, about 5 us for each send, so a larger number
    /// would save little (docs/adr/0011-io-uring.md) and delay answers.
    /// </summary>
    private const int Size = 64;

    private readonly int _descriptor;
    private readonly List<(nint Address, nuint Length)> _maps = [];

    /// <summary>The frames of the call under way.</summary>
    private readonly MemoryHandle[] _pins = new MemoryHandle[Size];

    private readonly Entry* _entries;
    private readonly uint _mask;
    private readonly uint* _submitHead;
    private readonly uint* _submitTail;
    private readonly Completion* _completions;
    private readonly uint _completeMask;
    private readonly uint* _completeHead;
    private readonly uint* _completeTail;

    private SendRing(int descriptor, in Parameters parameters)
    {
        _descriptor = descriptor;
        try
        {
            var submit = Map(IORING_OFF_SQ_RING, parameters.Submission.Array + parameters.SubmissionEntries * sizeof(uint));
            var complete = Map(
                IORING_OFF_CQ_RING, parameters.Completion.Completions + parameters.CompletionEntries * (uint)sizeof(Completion));
            _entries = (Entry*)Map(IORING_OFF_SQES, parameters.SubmissionEntries * (uint)sizeof(Entry));
            _mask = *(uint*)(submit + parameters.Submission.RingMask);
            _submitHead = (uint*)(submit + parameters.Submission.Head);
            _submitTail = (uint*)(submit + parameters.Submission.Tail);
            _completions = (Completion*)(complete + parameters.Completion.Completions);
            _completeMask = *(uint*)(complete + parameters.Completion.RingMask);
            _completeHead = (uint*)(complete + parameters.Completion.Head);
            _completeTail = (uint*)(complete + parameters.Completion.Tail);
            var array = (uint*)(submit + parameters.Submission.Array);
            for (var slot = 0u; slot <= _mask; slot++)
                array[slot] = slot;
        }
        catch
        {
            // The exception says why there is no ring; TryCreate reports it.
            Dispose();
            throw;
        }
    }

    public int Capacity => Size;

    /// <summary>Whether this machine can send through a ring.</summary>
    /// <param name="error">If not, the system's error.</param>
    public static bool IsSupported(out string? error)
    {
        using var ring = TryCreate(out error);
        return ring is not null;
    }

    /// <summary>Creates a ring. Fails if the kernel is too old, or if the kernel or a sandbox forbids it.</summary>
    /// <param name="error">The system's error if there is none.</param>
    public static SendRing? TryCreate(out string? error)
    {
        SendRing? ring = null;
        try
        {
            var parameters = default(Parameters);
            var descriptor = Descriptor.Check(Setup(Size, &parameters));
            ring = new SendRing(descriptor, parameters);
            ring.CheckThatItSends();
            error = null;
            return ring;
        }
        catch (Win32Exception e)
        {
            // Expected: ENOSYS from an old kernel, EPERM from a sandbox or kernel.io_uring_disabled, EINVAL where there is no send,
            // ENOMEM from RLIMIT_MEMLOCK.
            ring?.Dispose();
            error = e.Message;
            return null;
        }
    }

    public void Send(ReadOnlySpan<SocketSend> sends, Span<int> accepted)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sends.Length, Capacity);
        var pinned = 0;
        try
        {
            byte* start = null;
            for (var i = 0; i < sends.Length; i++)
            {
                // The members of one room have the same frame.
                if (i == 0 || !sends[i].Bytes.Equals(sends[i - 1].Bytes))
                    start = (byte*)(_pins[pinned++] = sends[i].Bytes.Pin()).Pointer;
                Queue((uint)i, sends[i].Socket, start, sends[i].Bytes.Length);
            }

            // A failed send took no bytes, and one that does not complete was not begun; send(2) retries both.
            accepted[..sends.Length].Fill(-1);
            SubmitAndWait((uint)sends.Length, accepted);
        }
        finally
        {
            while (pinned > 0)
                _pins[--pinned].Dispose();
        }

        for (var i = 0; i < sends.Length; i++)
        {
            if (accepted[i] < 0)
                accepted[i] = Descriptor.Send(sends[i].Socket, sends[i].Bytes.Span);
        }
    }

    public void Dispose()
    {
        foreach (var (address, length) in _maps)
            _ = Unmap((void*)address, length);
        Descriptor.Close(_descriptor);
    }

    /// <summary>Sends to no socket. A kernel that can send answers EBADF; one that lacks the operation answers EINVAL.</summary>
    private void CheckThatItSends()
    {
        Span<int> result = [0];
        Queue(0, descriptor: -1, null, 0);
        var error = SubmitAndWait(1, result);
        if (error != 0 || result[0] != -Libc.EBADF)
            throw new Win32Exception(error != 0 ? error : -result[0]);
    }

    private void Queue(uint index, int descriptor, byte* bytes, int length) =>
        _entries[(*_submitTail + index) & _mask] = new Entry
        {
            Operation = IORING_OP_SEND,
            Descriptor = descriptor,
            Address = (ulong)bytes,
            Length = (uint)length,
            MessageFlags = Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL,
            UserData = index,
        };

    /// <summary>Submits the queued sends and waits until all that the kernel took are done; withdraws the others.</summary>
    /// <param name="count">How many sends are queued.</param>
    /// <param name="results">Receives each result at the index of its send.</param>
    /// <returns>0, or the error number because of which some were withdrawn.</returns>
    private int SubmitAndWait(uint count, Span<int> results)
    {
        var first = *_submitTail;
        Volatile.Write(ref *_submitTail, first + count);
        uint taken = 0, done = 0;
        while (done < count)
        {
            var result = Enter(_descriptor, count - taken, count - done, IORING_ENTER_GETEVENTS);
            var error = result < 0 ? Marshal.GetLastPInvokeError() : 0;
            taken = Volatile.Read(ref *_submitHead) - first;
            done += Reap(results);
            if (done == count || result > 0 || error == Libc.EINTR)
                continue;
            if (done < taken)
                throw new Win32Exception(error);
            Volatile.Write(ref *_submitTail, first + taken);
            return error;
        }

        return 0;
    }

    private uint Reap(Span<int> results)
    {
        var head = *_completeHead;
        var count = Volatile.Read(ref *_completeTail) - head;
        for (var i = 0u; i < count; i++)
        {
            ref readonly var completion = ref _completions[(head + i) & _completeMask];
            results[(int)completion.UserData] = completion.Result;
        }

        Volatile.Write(ref *_completeHead, head + count);
        return count;
    }

    private byte* Map(nint offset, uint length)
    {
        var address = RingCalls.Map(null, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, _descriptor, offset);
        if (address == MAP_FAILED)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        _maps.Add(((nint)address, length));
        return address;
    }
}
