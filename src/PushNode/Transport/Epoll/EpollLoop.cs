using System.Runtime.InteropServices;
using PushNode.Telemetry;
using PushNode.Transport.Linux;

namespace PushNode.Transport.Epoll;

/// <summary>
/// A thread that waits for events on many descriptors and hands each to its handler. Descriptors are registered once, edge-triggered, under a key that is never used again, so that
/// an event of a closed descriptor cannot reach the connection that has got its number since. A handler with more to do than one turn allows asks for another, which comes after all others'. What
/// throws costs its handler, never the thread. Owned by the transport; lives as long as the node.
/// </summary>
internal sealed unsafe class EpollLoop : IDisposable
{
    /// <summary>
    /// What a connection's reads share, one buffer for the whole loop, and with it the most that one connection reads in a turn: 170 pings, which take about 0.1 ms. A client's whole request is a
    /// tenth of it.
    /// </summary>
    public const int BufferSize = 1024;

    private const int EventsPerWait = 512;
    private const uint ConnectionEvents = Libc.EPOLLIN | Libc.EPOLLOUT | Libc.EPOLLRDHUP | Libc.EPOLLET;

    private readonly int _epoll;
    private readonly int _wake;
    private readonly Thread _thread;
    private readonly Lock _lock = new();
    private readonly HandlerTable _handlers = new();
    private readonly Queue<EpollHandler> _turns = new();
    private List<Action> _posted = [];
    private List<Action> _running = [];
    private volatile bool _stopping;
    private bool _hasEnded;

    public EpollLoop(int index, Failures failures)
    {
        Failures = failures;
        _epoll = Descriptor.Check(Libc.EpollCreate(Libc.EPOLL_CLOEXEC));
        _wake = Descriptor.Check(Libc.EventDescriptor(0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK));
        Descriptor.Check(Control(Libc.EPOLL_CTL_ADD, _wake, Libc.EPOLLIN, key: 0));
        _thread = new Thread(Run) { Name = $"epoll {index}", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Where bugs are reported.</summary>
    public Failures Failures { get; }

    /// <summary>For reading; to be used within one event only.</summary>
    public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(BufferSize, pinned: true);

    /// <summary>How many turns are asked for and not given yet. The loop's thread only.</summary>
    public int TurnsAwaited => _turns.Count;

    /// <summary>Runs something on the loop's thread, after what was posted before; once the loop has ended, at once. Any thread.</summary>
    public void Post(Action action)
    {
        lock (_lock)
        {
            if (_hasEnded)
            {
                // Whoever still has a connection can close it, one at a time like before.
                Run(action);
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
            try
            {
                action();
                done.SetResult();
            }
            catch (Exception bug)
            {
                // The awaiting caller gets the exception.
                done.SetException(bug);
            }
        });
        return done.Task;
    }

    /// <summary>Gives the handler one more turn after all other handlers that are due now. The loop's thread only.</summary>
    public void AskForTurn(EpollHandler handler) => _turns.Enqueue(handler);

    /// <summary>Registers a connection's descriptor, edge-triggered. The loop's thread only.</summary>
    /// <returns>The key under which <see cref="Replace"/> and <see cref="Forget"/> know it; null when the kernel has no room for it.</returns>
    public ulong? Register(int descriptor, EpollHandler handler) => Register(descriptor, handler, ConnectionEvents);

    /// <summary>Registers a listening descriptor: level-triggered, and each connection wakes one loop. The loop's thread only.</summary>
    /// <returns>Its key; null when the kernel has no room for it.</returns>
    public ulong? RegisterListener(int descriptor, EpollHandler handler) => Register(descriptor, handler, Libc.EPOLLIN | Libc.EPOLLEXCLUSIVE);

    /// <summary>Gives a descriptor's events to another handler. The loop's thread only.</summary>
    public void Replace(ulong key, EpollHandler handler) => _handlers.Replace(key, handler);

    /// <summary>Has epoll report a descriptor's current state to its handler again. The loop's thread only.</summary>
    public void TellAgain(int descriptor, ulong key)
    {
        if (!_hasEnded)
            Descriptor.Check(Control(Libc.EPOLL_CTL_MOD, descriptor, ConnectionEvents, key));
    }

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
                Run(action);
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
        var interest = stackalloc byte[EpollEvent.MaxSize];
        EpollEvent.Write(interest, events, key);
        return Libc.EpollControl(_epoll, operation, descriptor, interest);
    }

    private void Wake()
    {
        ulong one = 1;
        _ = Libc.Write(_wake, &one, sizeof(ulong));
    }

    private void Run()
    {
        var events = stackalloc byte[EventsPerWait * EpollEvent.MaxSize];
        while (!_stopping)
        {
            var count = Libc.EpollWait(_epoll, events, EventsPerWait, timeoutMilliseconds: _turns.Count > 0 ? 0 : -1);
            for (var i = 0; i < count; i++)
            {
                var (happened, key) = EpollEvent.Read(events, i);
                if (key == 0)
                    RunPosted();
                else if (_handlers.Find(key) is { } handler)
                    Call(handler, happened);
            }

            GiveTurns();
        }
    }

    private void Call(EpollHandler handler, uint events)
    {
        try
        {
            handler.OnEvents(events);
        }
        catch (Exception bug)
        {
            Fail(handler, bug);
        }
    }

    /// <summary>Gives one turn to each handler that has asked; one that asks again waits until new events are handled.</summary>
    private void GiveTurns()
    {
        for (var count = _turns.Count; count > 0; count--)
        {
            var handler = _turns.Dequeue();
            try
            {
                handler.OnTurn();
            }
            catch (Exception bug)
            {
                Fail(handler, bug);
            }
        }
    }

    /// <summary>A bug costs its handler; one in giving up the handler costs nothing more.</summary>
    private void Fail(EpollHandler handler, Exception bug)
    {
        try
        {
            handler.OnFailed(bug);
        }
        catch (Exception another)
        {
            Failures.Add(log => log.ClientFailed(another));
        }
    }

    /// <summary>Runs what was posted. An exception there is a bug and affects one client.</summary>
    private void Run(Action action)
    {
        try
        {
            action();
        }
        catch (Exception bug)
        {
            Failures.Add(log => log.ClientFailed(bug));
        }
    }

    private void RunPosted()
    {
        ulong wakes;
        _ = Libc.Read(_wake, &wakes, sizeof(ulong));
        lock (_lock)
            (_posted, _running) = (_running, _posted);
        foreach (var action in _running)
            Run(action);
        _running.Clear();
    }
}

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
