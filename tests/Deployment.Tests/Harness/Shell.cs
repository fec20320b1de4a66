using System.Diagnostics;
using System.Globalization;
using System.Text;
using TestSupport.Processes;

namespace Deployment.Tests.Harness;

/// <summary>
/// One bash that runs a reader's commands, one block after the other, in the repository's root. It ends at the first command that fails. What it
/// has started ends with it. For one caller at a time.
/// </summary>
internal sealed class Shell : IAsyncDisposable
{
    private const string BlockEnd = "-- end of block --";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();

    /// <param name="environment">Variables of every program.</param>
    public Shell(params (string Name, string Value)[] environment)
    {
        // A session of its own, so that everything that is started there can be ended together.
        var info = new ProcessStartInfo("setsid", ["bash", "--noprofile", "--norc"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Repository.Root,
        };
        // Build servers would outlive the test, and hold its output open.
        foreach (var (name, value) in ((string, string)[])[("MSBUILDDISABLENODEREUSE", "1"), ("UseSharedCompilation", "false"), .. environment])
            info.Environment[name] = value;
        _process = Process.Start(info)!;
        _process.ErrorDataReceived += (_, line) => TakeError(line.Data);
        _process.BeginErrorReadLine();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => End();
    }

    /// <summary>Runs commands and requires that all succeed.</summary>
    /// <returns>The lines that they print on standard output.</returns>
    public async Task<List<string>> RunAsync(string commands)
    {
        var input = _process.StandardInput;
        await input.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"set -eo pipefail\n{commands}\necho '{BlockEnd}'\n"));
        await input.FlushAsync(TestContext.Current.CancellationToken);
        var lines = new List<string>();
        var reading = ReadAsync(lines);
        try
        {
            // A build may take longer than Eventually waits.
            Assert.True(await reading.WaitAsync(Patience, TestContext.Current.CancellationToken), $"A command failed in:\n{commands}\nIt printed:\n{Printed()}");
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Still running:\n{commands}\nIt printed:\n{Printed()}");
        }

        return lines;

        string Printed()
        {
            lock (_errors)
                return $"{string.Join('\n', lines.ToArray())}\n{_errors}";
        }
    }

    public async ValueTask DisposeAsync()
    {
        End();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    /// <returns>False if the shell ended first.</returns>
    private async Task<bool> ReadAsync(List<string> lines)
    {
        while (await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line == BlockEnd)
                return true;
            lines.Add(line);
        }

        return false;
    }

    private void TakeError(string? line)
    {
        lock (_errors)
            _errors.AppendLine(line);
    }

    private void End()
    {
        try
        {
            Signals.Send(-_process.Id, Signals.Kill);
        }
        catch (InvalidOperationException)
        {
            // Expected: nothing of it runs any more.
        }
    }
}
