using System.Runtime.InteropServices;

namespace PushNode.Endpoints;

/// <summary>The C library's heap, which the runtime's compiler takes its working memory from.</summary>
internal static partial class NativeHeap
{
    /// <summary>Gives its free pages back to the system, where the C library can.</summary>
    public static void Trim()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = Trim(keep: 0);
        }
        catch (EntryPointNotFoundException)
        {
            // Expected: only glibc has it.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nint keep);
}
