using TestSupport.Processes;

namespace Deployment.Tests.Harness;

/// <summary>Where an nginx listens.</summary>
internal sealed record NginxPorts(int Clients, int Publishers, int Status)
{
    public IEnumerable<(string Name, string Value)> Settings =>
        [("PUSH_LISTEN", $"127.0.0.1:{Clients}"), ("PUSH_API_LISTEN", $"127.0.0.1:{Publishers}"), ("PUSH_STATUS_LISTEN", $"127.0.0.1:{Status}")];

    public static NginxPorts Free() => new(FreePort.Next(), FreePort.Next(), FreePort.Next());
}
