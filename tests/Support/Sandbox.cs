using System.ComponentModel;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace TestSupport;

/// <summary>Forbids system calls by seccomp, as a container's profile does: to one thread, and to the processes that it starts.</summary>
public static unsafe partial class Sandbox
{
    public const int EPERM = 1;
    public const int ENOSYS = 38;
    public const int IoUringSetup = 425;
    public const int IoUringEnter = 426;

    private const int PR_SET_SECCOMP = 22;
    private const int PR_SET_NO_NEW_PRIVS = 38;
    private const int SECCOMP_MODE_FILTER = 2;

    /// <summary>Whether this machine has io_uring and lets this process use it; the call itself is wrong.</summary>
    public static bool AllowsIoUring => SystemCall(IoUringSetup, 0, 0) < 0 && Marshal.GetLastPInvokeError() is not (EPERM or ENOSYS);

    /// <summary>Runs something on a thread of its own.</summary>
    /// <param name="work">What to run; it may call <see cref="Forbid"/>, which cannot be undone.</param>
    public static T Run<T>(Func<T> work)
    {
        var result = default(T)!;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                result = work();
            }
            catch (Exception exception)
            {
                // The caller's: a test that fails there fails here.
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    /// <summary>Has a system call fail from now on, for this thread and what it starts.</summary>
    public static void Forbid(int systemCall, int error)
    {
        // Load the number; if it is the one, fail with the error; allow the others.
        var filter = stackalloc Instruction[4]
        {
            new(0x20, 0, 0, 0), new(0x15, 0, 1, (uint)systemCall), new(0x06, 0, 0, 0x0005_0000 | (uint)error), new(0x06, 0, 0, 0x7FFF_0000),
        };
        var program = new Filter { Length = 4, Instructions = filter };
        Check(Control(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
        Check(Control(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (nint)(&program), 0, 0));
    }

    private static void Check(int result)
    {
        if (result < 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int option, nint second, nint third, nint fourth, nint fifth);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint SystemCall(nint number, nint first, nint second);

    private readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Value);

    private struct Filter
    {
        public ushort Length;
        public Instruction* Instructions;
    }
}
