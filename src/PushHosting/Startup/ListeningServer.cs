using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using PushHosting.Settings;

namespace PushHosting.Startup;

/// <summary>
/// The application's server, with failures to listen turned into the one sentence an operator needs. Here and nowhere further out: only what the
/// server itself throws while it starts is certain to be about its addresses.
/// </summary>
internal sealed class ListeningServer(IServer server, IReadOnlyList<ListenAddress> addresses) : IServer
{
    public IFeatureCollection Features => server.Features;

    public async Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken) where TContext : notnull
    {
        try
        {
            await server.StartAsync(application, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or SocketException or FormatException or InvalidOperationException or CryptographicException)
        {
            throw new SettingsException(Sentence(exception), exception);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => server.StopAsync(cancellationToken);

    public void Dispose() => server.Dispose();

    private string Sentence(Exception exception)
    {
        if (addresses.Count == 0)
            return $"The server's address {BindFailure.Reason(exception)}; --urls accepts another one.";

        // Kestrel's text is all that tells which of several addresses it was, and a host name it has turned into an IP address by then.
        ListenAddress[] blamed = [.. addresses.Where(a => exception.Message.Contains($":{a.Check().Port}:", StringComparison.Ordinal))];
        if (blamed.Length == 0)
            blamed = [.. addresses];
        return $"{string.Join(" or ", blamed.Select(a => a.Url))} {BindFailure.Reason(exception)}; "
            + $"{string.Join(" or ", blamed.Select(a => a.Key).Distinct())} accepts {blamed[0].Accepts}.";
    }
}

/// <summary>Why a server could not listen, in an operator's words.</summary>
internal static class BindFailure
{
    /// <summary>The reason, as the rest of a sentence that begins with the address.</summary>
    public static string Reason(Exception exception)
    {
        var cause = exception.GetBaseException();
        return (cause as SocketException)?.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => "is already in use by another process",
            SocketError.AccessDenied => "needs rights that this process does not have",
            SocketError.AddressNotAvailable => "is not an address of this machine",
            _ => $"cannot be opened ({cause.Message.Split('\n')[0].Trim().TrimEnd('.')})",
        };
    }
}
