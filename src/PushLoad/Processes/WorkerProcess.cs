using System.Diagnostics;
using System.Text.Json;
using PushLoad.Plans;

namespace PushLoad.Processes;

/// <summary>
/// A worker as the main process sees it: this program as another process, which writes its errors to the main process's standard error.
/// Any thread may read <see cref="Latest"/>.
/// </summary>
internal sealed class WorkerProcess : IDisposable
{
    /// <summary>The argument that makes this program a worker.</summary>
    public const string Argument = "--worker";

    private readonly Process _process;
    private WorkerReport? _latest;

    private WorkerProcess(Process process)
    {
        _process = process;
        Result = ReadAsync();
    }

    /// <summary>The newest report; null before the first.</summary>
    public WorkerReport? Latest => Volatile.Read(ref _latest);

    /// <summary>The result; fails with <see cref="RunFailedException"/> when the worker ends without one.</summary>
    public Task<WorkerReport> Result { get; }

    public static WorkerProcess Start(WorkerPlan plan)
    {
        var host = Environment.ProcessPath!;
        var info = new ProcessStartInfo(host) { RedirectStandardInput = true, RedirectStandardOutput = true };
        // If the dotnet host runs this program, it takes the program as its argument.
        if (Path.GetFileNameWithoutExtension(host) == "dotnet")
            info.ArgumentList.Add(typeof(WorkerProcess).Assembly.Location);
        info.ArgumentList.Add(Argument);
        var process = Process.Start(info)!;
        process.StandardInput.WriteLine(JsonSerializer.Serialize(plan, WorkerPipe.Default.WorkerPlan));
        process.StandardInput.Flush();
        return new WorkerProcess(process);
    }

    public void Send(WorkerCommand command)
    {
        try
        {
            _process.StandardInput.WriteLine(JsonSerializer.Serialize(command, WorkerPipe.Default.WorkerCommand));
            _process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // Expected when the worker has died; Result says so.
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private async Task<WorkerReport> ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            var report = JsonSerializer.Deserialize(line, WorkerPipe.Default.WorkerReport)!;
            Volatile.Write(ref _latest, report);
            if (report.Sequences is not null)
                return report;
        }

        await _process.WaitForExitAsync();
        throw new RunFailedException($"A worker process exited with code {_process.ExitCode} before it returned a result.");
    }
}
