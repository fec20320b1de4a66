using System.Text;
using PushNode.Settings;

namespace PushNode.Access;

/// <summary>Where the key set is: a file, or an address that is asked by HTTP. For one caller at a time. Lives as long as the node.</summary>
internal sealed class KeySetSource : IDisposable
{
    /// <summary>Far more than an issuer needs; nobody waits for it.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly string _place;
    private readonly HttpClient? _http;

    public KeySetSource(AuthSettings settings)
    {
        _place = settings.Jwks;
        if (!settings.IsJwksAddress)
            return;
        _http = new HttpClient(new SocketsHttpHandler
        {
            // It would lead away from the address that an operator trusts.
            AllowAutoRedirect = false,
            UseCookies = false,
            MaxResponseHeadersLength = 16,
            // An issuer's address may change.
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        })
        {
            Timeout = Timeout,
            MaxResponseContentBufferSize = KeySet.MaxBytes,
        };
    }

    /// <summary>Reads the key set.</summary>
    /// <returns>The text; or null and the problem, as the end of a sentence that begins with the key set.</returns>
    public async Task<(string? Text, string? Problem)> ReadAsync(CancellationToken cancellation)
    {
        try
        {
            return _http is null ? await ReadFileAsync(cancellation) : await AskAsync(_http, cancellation);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            return (null, $"cannot be read: {e.Message}");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return (null, $"did not come within {Timeout.TotalSeconds} s");
        }
    }

    public void Dispose() => _http?.Dispose();

    private static async Task<(string?, string?)> AskAsync(HttpClient http, Uri address, CancellationToken cancellation)
    {
        using var answer = await http.GetAsync(address, HttpCompletionOption.ResponseContentRead, cancellation);
        // JSON is UTF-8, whatever charset the answer names.
        return answer.IsSuccessStatusCode
            ? (Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync(cancellation)), null)
            : (null, $"cannot be read: the answer has the status {(int)answer.StatusCode}");
    }

    private Task<(string?, string?)> AskAsync(HttpClient http, CancellationToken cancellation) => AskAsync(http, new Uri(_place), cancellation);

    private async Task<(string?, string?)> ReadFileAsync(CancellationToken cancellation)
    {
        await using var file = File.OpenRead(_place);
        var bytes = new byte[KeySet.MaxBytes + 1];
        var length = await file.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation);
        return length <= KeySet.MaxBytes
            ? (System.Text.Encoding.UTF8.GetString(bytes, 0, length), null)
            : (null, $"has more than {KeySet.MaxBytes} bytes");
    }
}
