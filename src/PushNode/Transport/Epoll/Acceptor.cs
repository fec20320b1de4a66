using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using PushHosting.Logging;
using PushNode.Telemetry;
using PushNode.Transport.Linux;

namespace PushNode.Transport.Epoll;

/// <summary>
/// Accepts a listener's connections on one loop. When the process is short of descriptors or memory, it pauses instead of spinning on a
/// connection that it cannot take. It leaves the last descriptors free, so that clients cannot shut out the operator or the backplane. Any
/// thread may call start and stop; the rest runs on the loop's thread.
/// </summary>
/// <param name="loop">The loop that serves the connections.</param>
/// <param name="listener">The listening socket.</param>
/// <param name="local">The local address of all connections; null if it listens on every address, and each connection has its own.</param>
/// <param name="accepted">Takes the connections for Kestrel.</param>
/// <param name="pauses">Counts and logs the pauses.</param>
/// <param name="requests">Answers first requests; null if all are for Kestrel.</param>
internal sealed class Acceptor(
    EpollLoop loop, int listener, IPEndPoint? local, ChannelWriter<ConnectionContext> accepted, AcceptPauses pauses, IFirstRequests? requests) : EpollHandler
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Connections accepted before the loop's other work gets its turn.</summary>
    private const int PerTurn = 64;

    /// <summary>
    /// Connections accepted before the loop goes to the back of the queue. The kernel wakes the first idle loop that waits for the listener, in the
    /// order in which they registered, so without this one loop would get all connections that come one after another.
    /// </summary>
    private const int PerPlace = 8;

    /// <summary>
    /// Descriptors reserved from clients. Kestrel's own listeners, such as the management listener, cannot pause: without a free descriptor
    /// each of them retries accept in a loop and keeps a core busy.
    /// </summary>
    private const int Reserve = 32;

    private ulong? _key;
    private int _taken;
    private bool _stopped;

    public Task StartAsync() => loop.RunAsync(Register);

    /// <summary>Stops accepting, and closes the connections that have sent nothing yet. Kestrel knows all others.</summary>
    public Task StopAsync() => loop.RunAsync(() =>
    {
        _stopped = true;
        Unregister();
        foreach (var greeting in loop.Handlers.OfType<Greeting>())
        {
            if (greeting.Acceptor == this)
                greeting.End();
        }
    });

    /// <summary>Makes an accepted socket a connection for Kestrel.</summary>
    public EpollConnection ConnectionOf(int descriptor, IPEndPoint? remote) => new(loop, descriptor, remote, local ?? Descriptor.Local(descriptor));

    /// <summary>Gives a connection that has begun to Kestrel, or closes it if Kestrel has stopped to take any.</summary>
    public void Pass(EpollConnection connection)
    {
        if (!accepted.TryWrite(connection))
            _ = connection.DisposeAsync().AsTask();
    }

    public override void OnEvents(uint events)
    {
        // If there is nothing else to do, epoll says whether more connections wait. It is cheaper than an accept that finds none.
        var most = loop.EventsAtOnce == 1 ? 1 : PerTurn;
        for (var turn = 0; turn < most && _key is not null; turn++)
        {
            var descriptor = Descriptor.Accept(listener, out var remote, out var error);
            if (descriptor >= 0)
                Take(descriptor, remote);
            else if (error is Libc.EMFILE or Libc.ENFILE or Libc.ENOBUFS or Libc.ENOMEM)
                PauseFor(error);
            else if (error == Libc.EAGAIN)
                break;
        }

        if (_taken >= PerPlace && _key is not null)
            GoToTheBack();
    }

    /// <summary>Loses only the connection being accepted; the next accept may succeed.</summary>
    public override void OnFailed(Exception e) => loop.Failures.Add(log => log.ClientFailed(e));

    /// <summary>
    /// Reads the limit for each connection, because prlimit(1) may change it while the process runs. This is one system call among several.
    /// </summary>
    private static int FirstReserved()
    {
        var limit = Descriptor.Limit();
        return limit - Math.Min(Reserve, limit / 8);
    }

    private void Take(int descriptor, IPEndPoint? remote)
    {
        if (!TryStart(descriptor, remote))
        {
            Descriptor.Close(descriptor);
            PauseFor(Libc.ENOSPC);
            return;
        }

        _taken++;
        if (descriptor >= FirstReserved())
            PauseFor(Libc.EMFILE);
    }

    private bool TryStart(int descriptor, IPEndPoint? remote)
    {
        if (requests is not null)
            return new Greeting(this, requests, loop, descriptor, remote).TryStart();
        var connection = ConnectionOf(descriptor, remote);
        if (!connection.TryStart())
            return false;
        Pass(connection);
        return true;
    }

    private void GoToTheBack()
    {
        _taken = 0;
        Unregister();
        Register();
    }

    private void PauseFor(int error)
    {
        pauses.Paused(error);
        Unregister();
        _ = ResumeAsync();
    }

    private async Task ResumeAsync()
    {
        await Task.Delay(Pause);
        loop.Post(Resume);
    }

    private void Resume()
    {
        if (Descriptor.Next() < FirstReserved())
            Register();
        else if (!_stopped)
            _ = ResumeAsync();
    }

    private void Register()
    {
        if (_stopped)
            return;
        _key = loop.RegisterListener(listener, this);
        if (_key is null)
            PauseFor(Libc.ENOSPC);
    }

    private void Unregister()
    {
        if (_key is { } key)
            loop.UnregisterListener(listener, key);
        _key = null;
    }
}

/// <summary>Counts and logs that the node cannot accept connections now. Any thread.</summary>
internal sealed class AcceptPauses(NodeMetrics metrics, TimeProvider time, ILogger<AcceptPauses> logger)
{
    private readonly LogPace _log = new(time);

    /// <param name="error">The error number of accept(2) or epoll_ctl(2).</param>
    public void Paused(int error)
    {
        metrics.AcceptPaused();
        var resource = error switch { Libc.EMFILE or Libc.ENFILE => "descriptors", Libc.ENOSPC => "epoll watches", _ => "memory" };
        if (_log.MayLog())
            logger.AcceptPaused(resource, error);
    }
}
