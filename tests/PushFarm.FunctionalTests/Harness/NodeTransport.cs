namespace PushFarm.FunctionalTests.Harness;

/// <summary>What carries the clients of a node under test, named by settings, so that no test runs over another than it says.</summary>
public enum NodeTransport
{
    /// <summary>Epoll, and a send(2) for each frame.</summary>
    Epoll,

    /// <summary>Epoll, and frames sent through io_uring.</summary>
    IoUring,

    Stream,
}
