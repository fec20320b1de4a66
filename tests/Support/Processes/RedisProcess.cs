using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace TestSupport.Processes;

/// <summary>
/// A redis-server process of the test's own: loopback, a free port that stays the same over restarts, nothing written to disk. Can be stopped (a crash:
/// SIGKILL), started again, and suspended, which leaves its sockets open and silent. Needs redis-server and redis-cli in the path.
/// One thread at a time.
/// </summary>
public sealed class RedisProcess : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("redispush-test-").FullName;
    private readonly string[] _arguments;
    private Process? _process;
    private bool _suspended;

    private RedisProcess(string[] arguments) => _arguments = arguments;

    public int Port { get; } = FreePort.Next();

    /// <summary>"127.0.0.1:port", which is a connection string.</summary>
    public string EndPoint => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>A server that is running.</summary>
    /// <param name="arguments">More of redis-server's own: <c>--requirepass</c>, <c>secret</c>.</param>
    public static async Task<RedisProcess> StartNewAsync(params string[] arguments)
    {
        var server = NotStarted(arguments);
        await server.StartAsync();
        return server;
    }

    /// <summary>A server that has a port and is not there yet.</summary>
    public static RedisProcess NotStarted(params string[] arguments) => new(arguments);

    /// <summary>Starts the process and waits until it answers.</summary>
    /// <exception cref="InvalidOperationException">It has ended instead; its output is the message.</exception>
    public async Task StartAsync()
    {
        var start = new ProcessStartInfo(InstalledProgram.Find("redis-server")) { WorkingDirectory = _directory };
        string[] own = ["--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"];
        foreach (var argument in own.Concat(_arguments))
            start.ArgumentList.Add(argument);

        var process = new Process { StartInfo = start };
        var output = new ProgramOutput();
        ProgramOutput.Start(process, output, output);
        _process = process;

        var started = Stopwatch.GetTimestamp();
        while (!await AnswersAsync())
        {
            if (process.HasExited)
            {
                await process.WaitForExitAsync();
                throw new InvalidOperationException($"redis-server has ended:\n{output}");
            }

            if (Stopwatch.GetElapsedTime(started) > Eventually.Patience)
                throw new TimeoutException("redis-server does not answer.");
            await Task.Delay(10);
        }
    }

    /// <summary>Kills the process: clients see a reset, then refused connections.</summary>
    public async Task StopAsync()
    {
        if (_process is null)
            return;
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
        _suspended = false;
    }

    /// <summary>Stalls the process: connections stay, new ones are accepted by the kernel, and nothing is ever answered.</summary>
    public void Suspend()
    {
        Signal(Signals.Stop);
        _suspended = true;
    }

    /// <summary>Lets a stalled process go on, with all that has come in meanwhile.</summary>
    public void Resume()
    {
        Signal(Signals.Continue);
        _suspended = false;
    }

    /// <summary>Runs one command through redis-cli and returns what it prints, without the last line end.</summary>
    public async Task<string> CliAsync(params string[] command)
    {
        var start = new ProcessStartInfo(InstalledProgram.Find("redis-cli")) { RedirectStandardOutput = true };
        string[] own = ["-h", "127.0.0.1", "-p", Port.ToString(CultureInfo.InvariantCulture)];
        foreach (var argument in own.Concat(command))
            start.ArgumentList.Add(argument);

        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return output.TrimEnd('\n');
    }

    public async ValueTask DisposeAsync()
    {
        if (_suspended)
            Resume();
        await StopAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port);
            await client.GetStream().WriteAsync("PING\r\n"u8.ToArray());
            var answer = new byte[64];
            return await client.GetStream().ReadAsync(answer) > 0;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            // Not yet.
            return false;
        }
    }

    private void Signal(int signal)
    {
        if (_process is null)
            throw new InvalidOperationException("The server is not running.");
        Signals.Send(_process.Id, signal);
    }
}
