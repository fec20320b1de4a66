using System.Net;

namespace PushHosting.Management;

/// <summary>Where <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c> are.</summary>
public sealed class ManagementEndpoint
{
    private volatile string? _url;

    internal ManagementEndpoint(IPEndPoint configured) => Configured = configured;

    /// <summary>The address that is listened on, "http://127.0.0.1:9464" for example, with the real port where port 0 was asked for.</summary>
    /// <exception cref="InvalidOperationException">The host has not started yet.</exception>
    public string Url => _url ?? throw new InvalidOperationException("The management listener is not open yet: it opens when the host starts.");

    internal IPEndPoint Configured { get; }

    internal void Opened(string url) => _url = url;
}
