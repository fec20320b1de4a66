using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PushBackplane.Redis;

namespace PushBackplane.Tests.Redis;

/// <summary>The rests of the subscriber connection's reader over a real socket, counted instead of slept.</summary>
public sealed class PacedStreamTests : IDisposable
{
    /// <summary>
    /// Several TLS records, and no more than both kernel buffers hold. So few that even over the shortest period of a <see cref="ReadPace"/> their rate
    /// allows a rest, however long the reads take.
    /// </summary>
    private const int Length = 80_000;

    private readonly Socket _reader;
    private readonly Socket _writer;
    private readonly PacedStream _paced;
    private readonly ReadPace _pace = new(TimeSpan.FromMinutes(1));
    private int _rests;
    private bool _isAwaited;

    public PacedStreamTests()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _reader = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4 * Length };
        _reader.Connect(listener.LocalEndPoint!);
        _writer = listener.Accept();
        _paced = new PacedStream(_reader, _pace, () => _isAwaited, rest =>
        {
            _rests++;
            Assert.Equal(0, _reader.Available);
            // Sends what the rest waited for, so that the next read does not block.
            _writer.Send(new byte[1]);
        });
    }

    public void Dispose()
    {
        _paced.Dispose();
        _reader.Dispose();
        _writer.Dispose();
    }

    [Fact]
    public async Task No_rest_is_taken_while_bytes_wait_in_the_kernel()
    {
        await SendAsync(new NetworkStream(_writer));
        ReadAll(_paced, 1_000, Length);
        Assert.Equal(0, _rests);
        Assert.Equal(1, _paced.Read(new byte[10]));
        Assert.Equal(1, _rests);
    }

    [Fact]
    public async Task No_rest_is_taken_while_TLS_has_bytes_left_to_decrypt()
    {
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var server = new SslStream(new NetworkStream(_writer));
        await using var client = new SslStream(_paced, leaveInnerStreamOpen: true, (_, presented, _, _) => certificate.Equals(presented));
        await Task.WhenAll(Task.Run(() => client.AuthenticateAsClient("test"), TestContext.Current.CancellationToken), server.AuthenticateAsServerAsync(certificate));

        await SendAsync(server);
        ReadAll(client, 1_000, Length);
        Assert.Equal(0, _rests);
        Assert.Equal(0, _reader.Available);
    }

    [Fact]
    public async Task No_rest_is_taken_while_a_command_waits_for_its_reply()
    {
        await SendAsync(new NetworkStream(_writer));
        ReadAll(_paced, Length, Length);
        _isAwaited = true;
        var sent = _writer.Send(new byte[1]);
        await ArrivedAsync(sent);
        Assert.Equal(1, _paced.Read(new byte[10]));
        _pace.HadMessages(Stopwatch.GetTimestamp());
        var reading = Task.Run(() => _paced.Read(new byte[10]), TestContext.Current.CancellationToken);
        _writer.Send(new byte[1]);
        Assert.Equal(1, await TestSubscriber.InTimeAsync(reading));
        Assert.Equal(0, _rests);

        _isAwaited = false;
        _pace.HadMessages(Stopwatch.GetTimestamp());
        Assert.Equal(1, _paced.Read(new byte[10]));
        Assert.Equal(1, _rests);
    }

    private async Task SendAsync(Stream to)
    {
        // Two recent messages make the reader busy: a rest would follow each read.
        _pace.HadMessages(Stopwatch.GetTimestamp());
        _pace.HadMessages(Stopwatch.GetTimestamp());
        await to.WriteAsync(new byte[Length], TestContext.Current.CancellationToken);
        await ArrivedAsync(Length);
    }

    private Task ArrivedAsync(int bytes) => Eventually.HoldsAsync(() => _reader.Available >= bytes, "all bytes are in the kernel");

    private void ReadAll(Stream from, int atMost, int bytes)
    {
        var buffer = new byte[atMost];
        for (var left = bytes; left > 0;)
        {
            left -= from.Read(buffer, 0, Math.Min(left, atMost));
            _pace.HadMessages(Stopwatch.GetTimestamp());
        }
    }
}
