using System.Diagnostics;

namespace PushHosting.Tests.Support;

/// <summary>The sample program as a process of its own, ended with the test.</summary>
internal sealed class SampleProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    private SampleProcess(Process process)
    {
        _process = process;
        _errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Starts it. Settings that begin with two dashes are arguments, others environment variables.</summary>
    public static SampleProcess Start(params string[] settings)
    {
        ProcessStartInfo start = new(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = AppContext.BaseDirectory,
        };
        start.ArgumentList.Add(typeof(SampleProcess).Assembly.Location);
        start.ArgumentList.Add("sample");
        foreach (var setting in settings)
        {
            if (setting.StartsWith("--", StringComparison.Ordinal))
            {
                start.ArgumentList.Add(setting);
            }
            else
            {
                var parts = setting.Split('=', 2);
                start.Environment[parts[0]] = parts[1];
            }
        }
        return new SampleProcess(Process.Start(start)!);
    }

    /// <summary>Waits until it serves.</summary>
    /// <returns>The addresses of the application and of its management listener.</returns>
    public async Task<(Uri Public, Uri Management)> StartedAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Eventually.Patience) is { } line)
        {
            if (line.StartsWith(SampleProgram.Started, StringComparison.Ordinal))
            {
                return line[SampleProgram.Started.Length..].Split(' ') is [var first, var second]
                    ? (new Uri(first), new Uri(second))
                    : throw new FormatException(line);
            }
        }
        throw new InvalidOperationException($"The sample ended before it served: {await _errors}");
    }

    /// <summary>Sends SIGTERM.</summary>
    public async Task TerminateAsync()
    {
        using var kill = Process.Start("sh", ["-c", $"kill -TERM {_process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Eventually.Patience);
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>Waits for its end.</summary>
    public async Task<(int ExitCode, string Output, string Errors)> EndedAsync()
    {
        var output = await _process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken).WaitAsync(Eventually.Patience);
        var errors = await _errors.WaitAsync(Eventually.Patience);
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Eventually.Patience);
        return (_process.ExitCode, output, errors);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }
}
