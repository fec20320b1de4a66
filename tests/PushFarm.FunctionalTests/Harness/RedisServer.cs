using System.Diagnostics;
using System.Net.Sockets;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>A real redis-server on a port of its own, without persistence. Killed when disposed.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private readonly string[] _options;
    private Process? _process;

    private RedisServer(int port, string[] options) => (Port, _options) = (port, options);

    public int Port { get; }

    /// <summary>In the form of a connection string.</summary>
    public string Address => $"127.0.0.1:{Port}";

    /// <summary>Starts a server and waits until it answers.</summary>
    /// <param name="options">Extra options of redis-server, "--requirepass", "x" for example.</param>
    public static async Task<RedisServer> StartAsync(params string[] options)
    {
        var server = NotStarted(options);
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>A server that does not run yet: its port is nobody's.</summary>
    public static RedisServer NotStarted(params string[] options) => new(FreePort.Next(), options);

    /// <summary>Starts the server on its port, for the first time or after <see cref="KillAsync"/>.</summary>
    public async Task StartAgainAsync()
    {
        var info = new ProcessStartInfo("redis-server") { RedirectStandardOutput = true, WorkingDirectory = Path.GetTempPath() };
        foreach (var argument in (string[])["--port", $"{Port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", .. _options])
            info.ArgumentList.Add(argument);
        var process = Process.Start(info)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Kill(process);
        _process = process;
        await Wait.UntilAsync(AcceptsAsync, $"redis-server answers on {Address}");
    }

    /// <summary>SIGKILL, and waits for the end.</summary>
    public async Task KillAsync()
    {
        Kill(_process!);
        await _process!.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>SIGSTOP: connections stay open and nothing moves.</summary>
    public void Stall() => Signals.Send(_process!.Id, Signals.Stop);

    /// <summary>SIGCONT.</summary>
    public void Resume() => Signals.Send(_process!.Id, Signals.Continue);

    public async ValueTask DisposeAsync()
    {
        if (_process is null)
            return;
        await KillAsync();
        _process.Dispose();
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // Expected: disposed already.
        }
    }

    private async Task<bool> AcceptsAsync()
    {
        if (_process!.HasExited)
            throw new InvalidOperationException($"redis-server ended with exit code {_process.ExitCode}.");
        try
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync("127.0.0.1", Port);
            return true;
        }
        catch (SocketException)
        {
            return false; // Expected while it starts.
        }
    }
}
