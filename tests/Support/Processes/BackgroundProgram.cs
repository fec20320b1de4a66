using System.Diagnostics;
using System.Net;
using TestSupport.Clients;

namespace TestSupport.Processes;

/// <summary>A server that is neither ours nor Prometheus: runs until it is killed, and can be started again on the same port. One thread at a time.</summary>
/// <param name="port">Where it answers over HTTP.</param>
/// <param name="path">What it answers with 200 when it is ready.</param>
/// <param name="program">Its name in the path.</param>
/// <param name="arguments">What it is started with.</param>
public sealed class BackgroundProgram(int port, string path, string program, params string[] arguments) : IAsyncDisposable
{
    private readonly ProgramOutput _output = new();
    private Process? _process;

    public int Port => port;

    public async Task<BackgroundProgram> StartAsync()
    {
        _process = new Process { StartInfo = new ProcessStartInfo(InstalledProgram.Find(program), arguments) };
        ProgramOutput.Start(_process, _output, _output);
        await Eventually.HoldsAsync(async () => await Http.StatusAsync(port, path) == HttpStatusCode.OK, $"{program} answers", Output);
        return this;
    }

    /// <summary>SIGKILL, to its children as well.</summary>
    public async Task KillAsync()
    {
        if (_process is null)
            return;
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _process = null;
    }

    public string Output() => _output.ToString();

    public async ValueTask DisposeAsync() => await KillAsync();
}
