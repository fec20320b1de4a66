using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using PushHosting.Network;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Hooks;

/// <summary>
/// Sends a batch to the receiver once. Follows no redirect and uses no proxy: what is sent goes to the URL in the settings and nowhere else.
/// Lives as long as the node; one request at a time.
/// </summary>
internal sealed class HookReceiver : IDisposable
{
    /// <summary>The header with the batch's id, by which a receiver knows a batch that it got before.</summary>
    public const string IdHeader = "Push-Batch";

    private readonly HttpClient _client;
    private readonly Uri _url;
    private readonly byte[] _secret;
    private readonly TimeProvider _time;

    public HookReceiver(HookSettings settings, TimeProvider time)
    {
        _url = new Uri(settings.Url);
        _secret = Encoding.UTF8.GetBytes(settings.Secret);
        _time = time;
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            MaxResponseHeadersLength = 16,
            MaxResponseDrainSize = 64 * 1024,
            // The receiver's address may change.
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            ConnectCallback = ConnectAsync,
        })
        {
            Timeout = settings.Timeout,
            DefaultRequestHeaders = { UserAgent = { new ProductInfoHeaderValue("RedisPush", null) } },
        };
    }

    /// <summary>The receiver for logs, without its path and query.</summary>
    public string Description => _url.GetLeftPart(UriPartial.Authority);

    /// <summary>Sends a batch.</summary>
    public async Task<HookAnswer> SendAsync(string id, byte[] body, CancellationToken cancelled)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _url)
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
            Headers = { { IdHeader, id }, { HookSignature.Header, HookSignature.Of(_secret, _time.GetUtcNow(), body) } },
        };
        try
        {
            using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancelled);
            return Of(answer);
        }
        catch (HttpRequestException e)
        {
            // Expected: the receiver is away, or its certificate is not accepted.
            return new HookAnswer(HookRequest.Failed, e.HttpRequestError.ToString());
        }
        catch (OperationCanceledException)
        {
            // Expected: Hooks:Timeout, or the end of the program.
            return new HookAnswer(HookRequest.Failed, "no answer in time");
        }
    }

    public void Dispose() => _client.Dispose();

    private static HookAnswer Of(HttpResponseMessage answer)
    {
        var cause = $"status {(int)answer.StatusCode}";
        if (answer.IsSuccessStatusCode)
            return new HookAnswer(HookRequest.Delivered, cause);
        var isTemporary = (int)answer.StatusCode >= 500
            || answer.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or (HttpStatusCode)425;
        return new HookAnswer(isTemporary ? HookRequest.Failed : HookRequest.Rejected, cause, answer.Headers.RetryAfter?.Delta);
    }

    /// <summary>Connects to an address of the host; over plain HTTP only to one inside, whatever the host's name resolves to.</summary>
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancelled)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancelled);
        if (context.InitialRequestMessage.RequestUri!.Scheme == Uri.UriSchemeHttp)
            addresses = Array.FindAll(addresses, ClientAddress.IsInternal);
        if (addresses.Length == 0)
            throw new HttpRequestException(HttpRequestError.ConnectionError, "The receiver has no address that may be used.");

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, cancelled);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>What became of one request.</summary>
/// <param name="Result">The result.</param>
/// <param name="Cause">A few words for the log, without text from outside.</param>
/// <param name="RetryAfter">When the receiver wants the next one; null if it does not say.</param>
internal readonly record struct HookAnswer(HookRequest Result, string Cause, TimeSpan? RetryAfter = null);
