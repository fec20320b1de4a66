using System.Net;

namespace PushHosting.Management;

/// <summary>The address of the node's page, <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c>.</summary>
public sealed class ManagementEndpoint
{
    private volatile string? _url;

    internal ManagementEndpoint(IPEndPoint configured) => Configured = configured;

    /// <summary>The open listener, "http://127.0.0.1:9464" for example, with the actual port if port 0 is configured.</summary>
    /// <exception cref="InvalidOperationException">The host has not started yet.</exception>
    public string Url => _url ?? throw new InvalidOperationException("The management listener is not open yet: it opens when the host starts.");

    internal IPEndPoint Configured { get; }

    internal void Opened(string url) => _url = url;
}
