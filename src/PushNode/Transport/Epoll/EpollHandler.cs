namespace PushNode.Transport.Epoll;

/// <summary>What an epoll loop calls when something happens on a descriptor. Belongs to one loop; called by its thread only.</summary>
internal abstract class EpollHandler
{
    /// <summary>Something happened: a combination of EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP and EPOLLERR.</summary>
    public abstract void OnEvents(uint events);
}
