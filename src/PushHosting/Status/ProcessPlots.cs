namespace PushHosting.Status;

/// <summary>The plots that every program has.</summary>
internal static class ProcessPlots
{
    public static readonly Plot[] All =
    [
        new(
            PlotSection.Health, "Ready", PlotUnit.Count, "1 while /readyz says ready, 0 while it does not (push_ready).",
            PlotLine.Value("ready", "push.ready")),
        new(
            PlotSection.Process, "CPU", PlotUnit.Count, "Cores in use (dotnet_process_cpu_time_seconds_total).",
            PlotLine.Rate("cores", "dotnet.process.cpu.time"), PlotLine.Rate("", "dotnet.process.cpu.time").By("cpu.mode")),
        new(
            PlotSection.Process, "Memory", PlotUnit.Bytes,
            "What the process has in memory, and the objects that its last garbage collection left "
                + "(dotnet_process_memory_working_set_bytes, dotnet_gc_last_collection_heap_size_bytes).",
            PlotLine.Value("working set", "dotnet.process.memory.working_set"),
            PlotLine.Value("heap", "dotnet.gc.last_collection.heap.size")),
        new(
            PlotSection.Process, "Garbage collection", PlotUnit.Seconds,
            "Time that collections stopped the program, per second (dotnet_gc_pause_time_seconds_total).",
            PlotLine.Rate("paused", "dotnet.gc.pause.time")),
    ];
}
