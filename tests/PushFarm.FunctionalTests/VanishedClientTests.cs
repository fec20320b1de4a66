using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>
/// A client that vanishes: its packets and those to it are lost, so that nothing tells the node. Farm and client run in a network of their own,
/// whose packets the test can drop without any effect on the machine; making one needs root.
/// </summary>
public sealed class VanishedClientTests
{
    // $1: the farm's program, $2: the transport. The port of the management stays open.
    private const string Script = """
        set -eu
        ip link set lo up
        export Farm__NodeUrl=http://127.0.0.1:7777 Farm__ApiUrl=http://127.0.0.1:7799 Management__Port=9464 Push__Transport="$2"
        export Push__Connections__PingAfter=00:00:02 Push__Connections__CloseAfter=00:00:06
        dotnet "$1" > /dev/null &
        farm=$! client=
        trap 'kill $farm $client' EXIT
        metric() { curl -s http://127.0.0.1:9464/metrics | awk -v name="$1" '$1 == name { print $2 }'; }
        for attempt in $(seq 600); do if curl -sf http://127.0.0.1:9464/readyz; then break; fi; sleep 0.2; done
        curl -sN 'http://127.0.0.1:7777/sse?room=demo' > /dev/null &
        client=$!
        for attempt in $(seq 600); do if [ "$(metric push_connections)" = 1 ]; then break; fi; sleep 0.2; done
        iptables -A INPUT -p tcp --sport 7777 -j DROP
        iptables -A INPUT -p tcp --dport 7777 -j DROP
        for attempt in $(seq 120); do
            outcome="lost $(metric 'push_connections_closed_total{reason="lost"}'), open $(metric push_connections)"
            if [ "$outcome" = "lost 1, open 0" ]; then break; fi
            sleep 1
        done
        curl -s http://127.0.0.1:9464/metrics | grep '^push_connections_closed_total' | grep -v ' 0$' || true
        echo "$outcome"
        """;

    /// <summary>Without the limit, the kernel would go on for 15 minutes.</summary>
    [Theory]
    [InlineData("Epoll")]
    [InlineData("Stream")]
    public async Task The_kernel_finds_out_that_a_client_has_vanished(string transport)
    {
        foreach (var program in (string[])["unshare", "ip", "iptables", "curl"])
            InstalledProgram.Find(program);
        var (canUnshare, _) = await Tool.RunAsync("unshare", ["--net", "iptables", "-L"]);
        Assert.SkipUnless(canUnshare == 0, "Only root can make a network of its own.");
        var (_, output) = await Tool.RunAsync("unshare", ["--net", "bash", "-c", Script, "bash", Repository.Built("src/PushFarm"), transport]);
        Assert.EndsWith("lost 1, open 0", output.TrimEnd(), StringComparison.Ordinal);
    }
}
