using System.Runtime.InteropServices;
using PushNode.Telemetry;
using PushNode.Transport.Linux;

namespace PushNode.Transport.Epoll;

/// <summary>
/// A thread that waits for events on many descriptors and passes each event to its handler. A descriptor is registered once,
/// edge-triggered, under a key that is never reused, so that an event of a closed descriptor cannot reach a later connection with the same
/// number. A handler with more work than one turn allows asks for another turn, which it gets after all other handlers have had theirs. An
/// exception ends the handler's connection, never the thread. Owned by the transport; lives as long as the node.
/// </summary>
internal sealed unsafe class EpollLoop : IDisposable
{
    /// <summary>
    /// The size of the loop's one read buffer, and so the most that a connection reads in a turn: 170 pings, which take about 0.1 ms. A
    /// client's handshake request is a tenth of this size.
    /// </summary>
    public const int BufferSize = 1024;

    /// <summary>
    /// The most bytes of a request that the loop looks at itself: as much as Kestrel takes of a request's first line alone. Browsers send a tenth of
    /// it, and a few times as much with the cookies of a large site.
    /// </summary>
    public const int FirstBufferSize = 8192;

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
    private int _listeners;
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

    /// <summary>Where unhandled exceptions are counted and logged.</summary>
    public Failures Failures { get; }

    /// <summary>For reading, within one event.</summary>
    public byte[] Buffer { get; } = GC.AllocateUninitializedArray<byte>(BufferSize, pinned: true);

    /// <summary>For reading a new connection's first bytes, within one event.</summary>
    public byte[] FirstBuffer { get; } = GC.AllocateUninitializedArray<byte>(FirstBufferSize, pinned: true);

    /// <summary>The number of events of the current wait. The loop's thread only.</summary>
    public int EventsAtOnce { get; private set; }

    /// <summary>The connections that it serves, in HTTP or after it. Any thread.</summary>
    public int Connections => _handlers.Count - Volatile.Read(ref _listeners);

    /// <summary>Turns that were asked for and not given yet. The loop's thread only.</summary>
    public int TurnsAwaited => _turns.Count;

    /// <summary>
    /// Runs an action on the loop's thread after those posted before, or on the caller's thread if the loop has ended. Any thread.
    /// </summary>
    public void Post(Action action)
    {
        lock (_lock)
        {
            if (_hasEnded)
            {
                // Connections that are still open can be closed, one at a time as before.
                Run(action);
                return;
            }

            _posted.Add(action);
            // Under the lock, because the descriptor's number may name another file after the loop has ended.
            if (_posted.Count == 1)
                Wake();
        }
    }

    /// <summary>Like <see cref="Post"/>; completes when the action has run. Any thread.</summary>
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
            catch (Exception e)
            {
                // The awaiting caller gets the exception.
                done.SetException(e);
            }
        });
        return done.Task;
    }

    /// <summary>Gives the handler one more turn, after all other handlers that are due now. The loop's thread only.</summary>
    public void AskForTurn(EpollHandler handler) => _turns.Enqueue(handler);

    /// <summary>Registers a connection's descriptor, edge-triggered. The loop's thread only.</summary>
    /// <returns>Its key for <see cref="Replace"/> and <see cref="Forget"/>; null if the kernel has no room for it.</returns>
    public ulong? Register(int descriptor, EpollHandler handler) => Register(descriptor, handler, ConnectionEvents);

    /// <summary>Registers a listening descriptor: level-triggered, and each connection wakes one loop. The loop's thread only.</summary>
    /// <returns>Its key; null if the kernel has no room for it.</returns>
    public ulong? RegisterListener(int descriptor, EpollHandler handler)
    {
        var key = Register(descriptor, handler, Libc.EPOLLIN | Libc.EPOLLEXCLUSIVE);
        if (key is not null)
            Volatile.Write(ref _listeners, _listeners + 1);
        return key;
    }

    /// <summary>Passes a descriptor's events to another handler from now on. The loop's thread only.</summary>
    public void Replace(ulong key, EpollHandler handler) => _handlers.Replace(key, handler);

    /// <summary>Makes epoll report a descriptor's current state to its handler again. The loop's thread only.</summary>
    public void TellAgain(int descriptor, ulong key)
    {
        if (!_hasEnded)
            Descriptor.Check(Control(Libc.EPOLL_CTL_MOD, descriptor, ConnectionEvents, key));
    }

    /// <summary>The handlers at this moment. The loop's thread only.</summary>
    public IReadOnlyList<EpollHandler> Handlers => _handlers.All;

    /// <summary>Forgets a descriptor that is about to be closed. The loop's thread only.</summary>
    public void Forget(ulong key) => _handlers.Remove(key);

    /// <summary>Stops watching a listening descriptor, which stays open. The loop's thread only.</summary>
    public void UnregisterListener(int descriptor, ulong key)
    {
        _handlers.Remove(key);
        Volatile.Write(ref _listeners, _listeners - 1);
        if (!_hasEnded)
            Descriptor.Check(Control(Libc.EPOLL_CTL_DEL, descriptor, 0, key));
    }

    /// <summary>Ends the thread. Owners close the descriptors that are still registered.</summary>
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
            EventsAtOnce = count;
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
        catch (Exception e)
        {
            Fail(handler, e);
        }
    }

    /// <summary>Gives one turn to each handler that asked for one. A handler that asks again waits until new events are handled.</summary>
    private void GiveTurns()
    {
        for (var count = _turns.Count; count > 0; count--)
        {
            var handler = _turns.Dequeue();
            try
            {
                handler.OnTurn();
            }
            catch (Exception e)
            {
                Fail(handler, e);
            }
        }
    }

    /// <summary>A handler threw, so it ends its connection. If that throws too, nothing more is done.</summary>
    private void Fail(EpollHandler handler, Exception e)
    {
        try
        {
            handler.OnFailed(e);
        }
        catch (Exception another)
        {
            Failures.Add(log => log.ClientFailed(another));
        }
    }

    /// <summary>Runs a posted action. An exception is a bug and affects one client.</summary>
    private void Run(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            Failures.Add(log => log.ClientFailed(e));
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
