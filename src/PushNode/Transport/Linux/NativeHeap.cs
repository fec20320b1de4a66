namespace PushNode.Transport.Linux;

/// <summary>The C library's heap, from which the runtime's compiler takes its working memory.</summary>
internal static class NativeHeap
{
    /// <summary>Returns its free pages to the system, if the C library can.</summary>
    public static void Trim()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = Libc.TrimHeap(keep: 0);
        }
        catch (EntryPointNotFoundException)
        {
            // Expected: only glibc has this function.
        }
    }
}
