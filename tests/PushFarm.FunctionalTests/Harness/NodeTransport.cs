namespace PushFarm.FunctionalTests.Harness;

/// <summary>What carries the clients of a node under test: the values of <c>Push:Transport</c>, named, so that no test runs over another than it says.</summary>
public enum NodeTransport
{
    Epoll,
    Stream,
}
