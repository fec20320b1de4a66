using System.Runtime.InteropServices;

namespace PushNode.Transport.Epoll;

/// <summary>
/// A thread that waits for events on many descriptors and hands each to its handler. Descriptors are registered once, edge-triggered, under a key that is never used again, so that
/// an event of a closed descriptor cannot reach the connection that has got its number since. Owned by the transport; lives as long as the node.
/// </summary>
internal sealed unsafe class EpollLoop : IDisposable
{
    /// <summary>What a connection's reads share: one buffer for the whole loop.</summary>
    public const int BufferSize = 64 * 1024;

    private const int EventsPerWait = 512;
    private const uint ConnectionEvents = Libc.EPOLLIN | Libc.EPOLLOUT | Libc.EPOLLRDHUP | Libc.EPOLLET;

    // struct epoll_event is packed on x64 only.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventSize = DataOffset + 8;

    private readonly int _epoll;
    private readonly int _wake;
    private readonly Thread _thread;
    private readonly Lock _lock = new();
    private readonly HandlerTable _handlers = new();
    private List<Action> _posted = [];
    private List<Action> _running = [];
    private volatile bool _stopping;
    private bool _hasEnded;

    public EpollLoop(int index, ILogger log)
    {
        Log = log;
        _epoll = Descriptor.Check(Libc.EpollCreate(Libc.EPOLL_CLOEXEC));
        _wake = Descriptor.Check(Libc.EventDescriptor(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK));
        Descriptor.Check(Control(Libc.EPOLL_CTL_ADD, _wake, Libc.EPOLLIN, key: 0));
        _thread = new Thread(Run) { Name = $"epoll {index}", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Where what goes wrong with one client is said.</summary>
    public ILogger Log { get; }

    /// <summary>For reading; to be used within one event only.</summary>
    public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(BufferSize, pinned: true);

    /// <summary>Runs something on the loop's thread, after what was posted before; once the loop has ended, at once. Any thread.</summary>
    public void Post(Action action)
    {
        lock (_lock)
        {
            if (_hasEnded)
            {
                // Whoever still has a connection can close it, one at a time like before.
                action();
                return;
            }

            _posted.Add(action);
            // Under the lock: the descriptor's number may be somebody else's once the loop has ended.
            if (_posted.Count == 1)
                Wake();
        }
    }

    /// <summary>Like <see cref="Post"/>; completes when it has run. Any thread.</summary>
    public Task RunAsync(Action action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            action();
            done.SetResult();
        });
        return done.Task;
    }

    /// <summary>Registers a connection's descriptor, edge-triggered. The loop's thread only.</summary>
    /// <returns>The key under which <see cref="Replace"/> and <see cref="Forget"/> know it; null when the kernel has no room for it.</returns>
    public ulong? Register(int descriptor, EpollHandler handler) => Register(descriptor, handler, ConnectionEvents);

    /// <summary>Registers a listening descriptor: level-triggered, and each connection wakes one loop. The loop's thread only.</summary>
    /// <returns>Its key; null when the kernel has no room for it.</returns>
    public ulong? RegisterListener(int descriptor, EpollHandler handler) => Register(descriptor, handler, Libc.EPOLLIN | Libc.EPOLLEXCLUSIVE);

    /// <summary>Gives a descriptor's events to another handler. The loop's thread only.</summary>
    public void Replace(ulong key, EpollHandler handler) => _handlers.Replace(key, handler);

    /// <summary>Forgets a descriptor that is about to be closed. The loop's thread only.</summary>
    public void Forget(ulong key) => _handlers.Remove(key);

    /// <summary>Stops watching a descriptor that stays open. The loop's thread only.</summary>
    public void Unregister(int descriptor, ulong key)
    {
        _handlers.Remove(key);
        if (!_hasEnded)
            Descriptor.Check(Control(Libc.EPOLL_CTL_DEL, descriptor, 0, key));
    }

    /// <summary>Ends the thread. What is still registered is for its owners to close.</summary>
    public void Dispose()
    {
        _stopping = true;
        Wake();
        _thread.Join();
        RunPosted();
        lock (_lock)
        {
            _hasEnded = true;
            foreach (var action in _posted)
                action();
            _posted.Clear();
            Descriptor.Close(_epoll);
            Descriptor.Close(_wake);
        }
    }

    private ulong? Register(int descriptor, EpollHandler handler, uint events)
    {
        var key = _handlers.Add(handler);
        var result = Control(Libc.EPOLL_CTL_ADD, descriptor, events, key);
        if (result < 0 && Marshal.GetLastPInvokeError() is Libc.ENOSPC or Libc.ENOMEM)
        {
            _handlers.Remove(key);
            return null;
        }

        Descriptor.Check(result);
        return key;
    }

    private int Control(int operation, int descriptor, uint events, ulong key)
    {
        var interest = stackalloc byte[16];
        *(uint*)interest = events;
        *(ulong*)(interest + DataOffset) = key;
        return Libc.EpollControl(_epoll, operation, descriptor, interest);
    }

    private void Wake()
    {
        ulong one = 1;
        _ = Libc.Write(_wake, &one, sizeof(ulong));
    }

    private void Run()
    {
        var events = stackalloc byte[EventsPerWait * 16];
        while (!_stopping)
        {
            var count = Libc.EpollWait(_epoll, events, EventsPerWait, timeoutMilliseconds: -1);
            for (var i = 0; i < count; i++)
            {
                var at = events + i * EventSize;
                var key = *(ulong*)(at + DataOffset);
                if (key == 0)
                    RunPosted();
                else
                    _handlers.Find(key)?.OnEvents(*(uint*)at);
            }
        }
    }

    private void RunPosted()
    {
        ulong wakes;
        _ = Libc.Read(_wake, &wakes, sizeof(ulong));
        lock (_lock)
            (_posted, _running) = (_running, _posted);
        foreach (var action in _running)
            action();
        _running.Clear();
    }
}
