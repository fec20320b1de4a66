namespace PushNode.Transport.Epoll;

/// <summary>The ports on which clients connect without TLS.</summary>
internal sealed class PublicPorts(IEnumerable<int> ports)
{
    private readonly HashSet<int> _ports = [.. ports];

    public bool Contains(int port) => _ports.Contains(port);
}
