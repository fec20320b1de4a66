using System.Runtime.InteropServices;

namespace PushNode.Transport.Linux;

/// <summary>
/// The system calls of io_uring, which libc does not wrap, with their constants and structs (linux/io_uring.h, the same on x64 and
/// arm64).
/// </summary>
internal static unsafe partial class RingCalls
{
    public const byte IORING_OP_SEND = 26;
    public const uint IORING_ENTER_GETEVENTS = 1;
    public const nint IORING_OFF_SQ_RING = 0;
    public const nint IORING_OFF_CQ_RING = 0x8000000;
    public const nint IORING_OFF_SQES = 0x10000000;
    public const int PROT_READ = 1;
    public const int PROT_WRITE = 2;
    public const int MAP_SHARED = 1;
    public const int MAP_POPULATE = 0x8000;

    /// <summary>The result of <see cref="Map"/> if it fails.</summary>
    public static readonly byte* MAP_FAILED = (byte*)-1;

    private const nint SetupNumber = 425;
    private const nint EnterNumber = 426;

    /// <summary>io_uring_setup(2).</summary>
    public static int Setup(uint entries, Parameters* parameters) =>
        (int)SystemCall(SetupNumber, (nint)entries, (nint)parameters, 0, 0, 0, 0);

    /// <summary>io_uring_enter(2).</summary>
    public static int Enter(int ring, uint submit, uint complete, uint flags) =>
        (int)SystemCall(EnterNumber, ring, (nint)submit, (nint)complete, (nint)flags, 0, 0);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    public static partial byte* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    public static partial int Unmap(void* address, nuint length);

    // Variadic in C. On Linux (x64 and arm64) integers are passed in the same way to a function that is not.
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint first, nint second, nint third, nint fourth, nint fifth, nint sixth);

    /// <summary>struct io_uring_params.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Parameters
    {
        public uint SubmissionEntries;
        public uint CompletionEntries;
        public uint Flags;
        public uint ThreadProcessor;
        public uint ThreadIdle;
        public uint Features;
        public uint WorkQueue;
        public fixed uint Reserved[3];
        public SubmissionOffsets Submission;
        public CompletionOffsets Completion;
    }

    /// <summary>struct io_sqring_offsets.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct SubmissionOffsets
    {
        public uint Head;
        public uint Tail;
        public uint RingMask;
        public uint RingEntries;
        public uint Flags;
        public uint Dropped;
        public uint Array;
        public uint Reserved;
        public ulong UserAddress;
    }

    /// <summary>struct io_cqring_offsets.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct CompletionOffsets
    {
        public uint Head;
        public uint Tail;
        public uint RingMask;
        public uint RingEntries;
        public uint Overflow;
        public uint Completions;
        public uint Flags;
        public uint Reserved;
        public ulong UserAddress;
    }

    /// <summary>struct io_uring_sqe, the fields in use.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    public struct Entry
    {
        [FieldOffset(0)]
        public byte Operation;

        [FieldOffset(4)]
        public int Descriptor;

        [FieldOffset(16)]
        public ulong Address;

        [FieldOffset(24)]
        public uint Length;

        [FieldOffset(28)]
        public uint MessageFlags;

        [FieldOffset(32)]
        public ulong UserData;
    }

    /// <summary>struct io_uring_cqe.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Completion
    {
        public ulong UserData;
        public int Result;
        public uint Flags;
    }
}
