using TestSupport.Processes;

namespace Deployment.Tests.Harness;

/// <summary>A dnsmasq that knows the addresses of one name, as Docker's DNS knows those of a service.</summary>
internal sealed class NameServer : IAsyncDisposable
{
    public const string Nodes = "push-node.test";

    private readonly string _directory;
    private readonly Tool _dnsmasq;
    private int _reads;

    private NameServer(string directory, int port)
    {
        _directory = directory;
        EndPoint = $"127.0.0.1:{port}";
        _dnsmasq = Tool.Start("dnsmasq",
        [
            "--keep-in-foreground", "--conf-file=/dev/null", "--log-facility=-", "--pid-file=", $"--user={Environment.UserName}", "--no-resolv", "--no-hosts",
            $"--addn-hosts={Hosts}", $"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces",
        ]);
    }

    /// <summary>Where it answers.</summary>
    public string EndPoint { get; }

    private string Hosts => Path.Combine(_directory, "hosts");

    public static async Task<NameServer> StartAsync(params string[] addresses)
    {
        var directory = Directory.CreateTempSubdirectory("redispush-test-").FullName;
        await WriteAsync(Path.Combine(directory, "hosts"), addresses);
        var server = new NameServer(directory, FreePort.Next());
        await server.HasReadAsync();
        return server;
    }

    /// <summary>From now on the name has these addresses.</summary>
    public async Task SetAsync(params string[] addresses)
    {
        await WriteAsync(Hosts, addresses);
        Signals.Send(_dnsmasq.Pid, Hangup);
        await HasReadAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _dnsmasq.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private const int Hangup = 1;

    private static Task WriteAsync(string file, string[] addresses) => File.WriteAllLinesAsync(file, addresses.Select(address => $"{address} {Nodes}"));

    /// <summary>It says so each time.</summary>
    private async Task HasReadAsync()
    {
        _reads++;
        await Eventually.HoldsAsync(() => _dnsmasq.Output.Split($"read {Hosts}").Length > _reads, "dnsmasq has read its names", () => _dnsmasq.Output);
    }
}
