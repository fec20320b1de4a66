using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using PushHosting.Settings;

namespace PushHosting.Startup;

/// <summary>
/// The application's server, which explains a failure to listen in the one sentence that an operator needs. It wraps only the server,
/// because only exceptions from the server's own start are certain to be about its addresses.
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
        catch (Exception e) when (e is IOException or SocketException or FormatException or InvalidOperationException or CryptographicException)
        {
            throw new SettingsException(Sentence(e), e);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => server.StopAsync(cancellationToken);

    public void Dispose() => server.Dispose();

    private string Sentence(Exception e)
    {
        if (addresses.Count == 0)
            return $"The server's address {BindFailure.Reason(e)}; --urls accepts another one.";

        // Only Kestrel's text says which of several addresses failed, and by then it has turned a host name into an IP address.
        ListenAddress[] failed = [.. addresses.Where(address => e.Message.Contains($":{address.Check().Port}:", StringComparison.Ordinal))];
        if (failed.Length == 0)
            failed = [.. addresses];
        return $"{string.Join(" or ", failed.Select(address => address.Url))} {BindFailure.Reason(e)}; "
            + $"{string.Join(" or ", failed.Select(address => address.Key).Distinct())} accepts {failed[0].Accepts}.";
    }
}

/// <summary>Explains why a server could not listen.</summary>
internal static class BindFailure
{
    /// <summary>The reason, as the rest of a sentence that begins with the address.</summary>
    public static string Reason(Exception e)
    {
        var cause = e.GetBaseException();
        return (cause as SocketException)?.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => "is already in use by another process",
            SocketError.AccessDenied => "requires permissions that this process does not have",
            SocketError.AddressNotAvailable => "is not an address of this machine",
            _ => $"cannot be opened ({cause.Message.Split('\n')[0].Trim().TrimEnd('.')})",
        };
    }
}
