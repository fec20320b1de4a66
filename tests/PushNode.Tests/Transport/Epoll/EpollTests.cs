namespace PushNode.Tests.Transport.Epoll;

/// <summary>Tests with real sockets by the thousand: one at a time, when the others are done.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class EpollTests
{
    public const string Name = "epoll";
}
