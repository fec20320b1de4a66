using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;

namespace PushNode.Transport.Epoll;

/// <summary>
/// Accepts a listener's connections on one loop. Out of descriptors or memory it pauses instead of spinning on a connection that it cannot take. All but the constructor runs on the loop's thread.
/// </summary>
internal sealed class Acceptor(EpollLoop loop, int listener, ChannelWriter<ConnectionContext> accepted, AcceptPauses pauses) : EpollHandler
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Connections taken before the loop's other work gets its turn.</summary>
    private const int PerTurn = 64;

    private ulong? _key;
    private bool _stopped;

    public Task StartAsync() => loop.RunAsync(Register);

    public Task StopAsync() => loop.RunAsync(() =>
    {
        _stopped = true;
        Unregister();
    });

    public override void OnEvents(uint events)
    {
        for (var turn = 0; turn < PerTurn && _key is not null; turn++)
        {
            var descriptor = Descriptor.Accept(listener, out var remote, out var error);
            if (descriptor >= 0)
            {
                var connection = new EpollConnection(loop, descriptor, remote);
                connection.Start();
                if (!accepted.TryWrite(connection))
                    _ = connection.DisposeAsync().AsTask();
            }
            else if (error is Libc.EMFILE or Libc.ENFILE or Libc.ENOBUFS or Libc.ENOMEM)
            {
                pauses.Paused(error);
                Unregister();
                _ = ResumeAsync();
            }
            else if (error == Libc.EAGAIN)
            {
                return;
            }
        }
    }

    private async Task ResumeAsync()
    {
        await Task.Delay(Pause);
        loop.Post(Register);
    }

    private void Register()
    {
        if (!_stopped)
            _key = loop.RegisterListener(listener, this);
    }

    private void Unregister()
    {
        if (_key is { } key)
            loop.Unregister(listener, key);
        _key = null;
    }
}
