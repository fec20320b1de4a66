namespace PushNode.Transport.Epoll;

/// <summary>What an epoll loop calls when something happens on a descriptor. Belongs to one loop; called by its thread only.</summary>
internal abstract class EpollHandler
{
    /// <summary>Something happened: a combination of EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP and EPOLLERR.</summary>
    public abstract void OnEvents(uint events);

    /// <summary>The turn that it asked for (<see cref="EpollLoop.AskForTurn"/>). It may have ended meanwhile.</summary>
    public virtual void OnTurn()
    {
        // Most never ask.
    }

    /// <summary>One of its calls threw, which is a bug: it reports that, and ends its connection if it serves one. The loop goes on, since thousands of others depend on it.</summary>
    public abstract void OnFailed(Exception bug);
}
