namespace PushNode.Tests.Transport.Epoll;

/// <summary>Tests with thousands of real sockets: they run one at a time, after the others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class EpollTests
{
    public const string Name = "epoll";
}
