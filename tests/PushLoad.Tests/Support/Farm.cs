using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using TestSupport.Processes;

namespace PushLoad.Tests.Support;

/// <summary>The real PushFarm as a process; on the memory backplane unless it gets a Redis. Killed when disposed.</summary>
internal sealed class Farm : IAsyncDisposable
{
    private readonly StringBuilder _output = new();
    private readonly Process _process;
    private readonly int _managementPort;

    private Farm(string redis)
    {
        var ports = FreePorts(3);
        (WebSocketUrl, ApiUrl, _managementPort) = ($"ws://127.0.0.1:{ports[0]}/ws", $"http://127.0.0.1:{ports[1]}", ports[2]);
        _process = BuiltProgram.Start(
            "src/PushFarm",
            [("Farm__NodeUrl", $"http://127.0.0.1:{ports[0]}"), ("Farm__ApiUrl", ApiUrl), ("Management__Port", $"{_managementPort}"), ("ConnectionStrings__Redis", redis)],
            [],
            _output);
    }

    public string WebSocketUrl { get; }

    public string ApiUrl { get; }

    public static async Task<Farm> StartAsync(string redis = "")
    {
        var farm = new Farm(redis);
        await Eventually.HoldsAsync(farm.IsReadyAsync, "PushFarm is ready");
        return farm;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private async Task<bool> IsReadyAsync()
    {
        if (_process.HasExited)
            throw new InvalidOperationException($"PushFarm has ended: {_output}");
        try
        {
            using var client = new HttpClient();
            using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{_managementPort}/readyz"), TestContext.Current.CancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // Not yet.
        }
    }

    private static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(listener => listener.Start());
        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        listeners.ForEach(listener => listener.Dispose());
        return ports;
    }
}
