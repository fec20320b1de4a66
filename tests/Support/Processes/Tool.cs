using System.Diagnostics;

namespace TestSupport.Processes;

/// <summary>
/// A program that is not one of the farm's: nginx, dnsmasq, docker-compose, promtool. Ended with SIGTERM when disposed, so that it can end its children.
/// </summary>
public sealed class Tool : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ProgramOutput _output = new();
    private readonly ProgramOutput _errors = new();
    private bool _disposed;

    private Tool(ProcessStartInfo info)
    {
        info.RedirectStandardInput = true;
        _process = new Process { StartInfo = info };
        // A test host that ends in the middle of a test leaves no program behind.
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Terminate();
        ProgramOutput.Start(_process, _output, _errors);
    }

    public int Pid => _process.Id;

    /// <summary>Standard output, then standard error.</summary>
    public string Output => $"{_output}{_errors}";

    public static Tool Start(string program, IEnumerable<string> arguments) => new(new ProcessStartInfo(InstalledProgram.Find(program), arguments));

    /// <summary>Runs a program to its end, however long that takes.</summary>
    /// <returns>The exit code, and standard output followed by standard error.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? directory = null)
    {
        var info = new ProcessStartInfo(InstalledProgram.Find(program), arguments) { WorkingDirectory = directory };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            info.Environment[name] = value;
        await using var tool = new Tool(info);
        await tool._process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (tool._process.ExitCode, tool.Output);
    }

    /// <summary>Runs a program in the repository's root and requires exit code 0.</summary>
    /// <returns>Standard output, then standard error.</returns>
    public static async Task<string> SucceedsAsync(string program, params IEnumerable<string> arguments)
    {
        var (code, output) = await RunAsync(program, arguments, directory: Repository.Root);
        Assert.True(code == 0, $"{program} {string.Join(' ', arguments)}: {output}");
        return output;
    }

    /// <summary>Waits until its output has a text.</summary>
    public Task WroteAsync(string text)
    {
        // HasExited is true before the last lines are read; this task ends after them.
        var end = _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return Eventually.HoldsAsync(
            () =>
            {
                var ended = end.IsCompleted;
                return Output.Contains(text, StringComparison.Ordinal) || (ended ? throw new InvalidOperationException($"It has ended without '{text}': {Output}") : false);
            },
            $"it writes '{text}'",
            () => Output);
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code, once both streams are read to their ends.</returns>
    public async Task<int> ExitAsync()
    {
        await Eventually.CompletesAsync(_process.WaitForExitAsync(TestContext.Current.CancellationToken), "the end of a program", () => Output);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        Terminate();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private void Terminate()
    {
        try
        {
            if (!_process.HasExited)
                Signals.Send(Pid, Signals.Terminate);
        }
        catch (InvalidOperationException)
        {
            // Expected: it ended, and its object is disposed.
        }
    }
}
