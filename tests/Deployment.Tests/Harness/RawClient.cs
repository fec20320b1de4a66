using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using PushFarm.FunctionalTests.Harness;

namespace Deployment.Tests.Harness;

/// <summary>One request from an address of the test's choice; the connection stays open until disposed.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly TcpClient _client;

    private RawClient(TcpClient client, RawHttpAnswer answer) => (_client, Answer) = (client, answer);

    public RawHttpAnswer Answer { get; }

    /// <param name="source">Any of 127.0.0.0/8.</param>
    /// <param name="port">On 127.0.0.1.</param>
    /// <param name="request">Whole.</param>
    public static async Task<RawClient> SendAsync(string source, int port, string request)
    {
        var client = new TcpClient(new IPEndPoint(IPAddress.Parse(source), 0));
        await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(request), TestContext.Current.CancellationToken);
        return new RawClient(client, await Wait.ForAsync(RawHttp.ReadHeadAsync(PipeReader.Create(client.GetStream())), "the head of an answer"));
    }

    /// <summary>A publish request.</summary>
    public static string Publish(string path, string body = "1") =>
        $"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    public void Dispose() => _client.Dispose();
}
