using System.Net;
using StackExchange.Redis;

namespace PushBackplane.Redis;

/// <summary>
/// A connection to Redis that does nothing but subscribe. Its thread waits in a blocking read and hands on payload after payload in the order in which Redis sent
/// them: the way through StackExchange.Redis costs several times as much for a message that comes alone (docs/adr/0018). Owned by a <see cref="RedisLink"/>,
/// dead at the first failure; any thread may call.
/// </summary>
internal sealed class SubscriberConnection : IDisposable
{
    private readonly RedisSocket _socket;
    private readonly CommandQueue _commands;
    private readonly ReadPace _pace;
    private readonly Action<string> _onClosed;
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isClosed;

    /// <summary>Begins to connect.</summary>
    /// <param name="options">Password, client name and TLS.</param>
    /// <param name="endPoint">Where Redis is.</param>
    /// <param name="gather"><see cref="BackplaneSettings.Gather"/>.</param>
    /// <param name="onClosed">Called once, with the reason, when the connection is dead.</param>
    public SubscriberConnection(ConfigurationOptions options, EndPoint endPoint, TimeSpan gather, Action<string> onClosed)
    {
        _pace = new ReadPace(gather);
        _onClosed = onClosed;
        _socket = new RedisSocket(options, endPoint);
        _commands = new CommandQueue(failure => Close(RedisFailure.Describe(failure)));
        // Their answers do not count: without the right password Redis refuses SUBSCRIBE, and says why.
        if (!string.IsNullOrEmpty(options.Password))
            _ = _commands.AskAsync(new Command("AUTH", options.Password));
        if (!string.IsNullOrEmpty(options.ClientName))
            _ = _commands.AskAsync(new Command("CLIENT", "SETNAME", options.ClientName));
        new Thread(Run) { Name = "redis subscriber", IsBackground = true }.Start();
    }

    /// <summary>Completes when the connection stands or is dead.</summary>
    public Task Opened => _opened.Task;

    /// <summary>Subscribes; commands are sent in the order of the calls. The channel must not be subscribed yet.</summary>
    /// <param name="channel">Taken literally.</param>
    /// <param name="onPayload">Called by the connection's thread with each payload, which is never used again; must not throw.</param>
    /// <returns>True when Redis has acknowledged; false when the connection is dead.</returns>
    public Task<bool> SubscribeAsync(string channel, Action<byte[]> onPayload) => _commands.AskAsync(Command.Subscribe(channel, onPayload));

    /// <summary>Ends a subscription. True when Redis has acknowledged; false when the connection is dead.</summary>
    public Task<bool> UnsubscribeAsync(string channel) => _commands.AskAsync(Command.Unsubscribe(channel));

    public void Dispose() => Close("the connection is being closed");

    private void Run()
    {
        try
        {
            using var stream = _socket.Open(socket => new PacedStream(socket, _pace, () => _commands.IsAwaited, Thread.Sleep));
            _commands.Open(stream);
            _opened.TrySetResult();
            Close(new SubscriberReader(stream, _commands, _pace).Run());
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            Close(RedisFailure.Describe(e));
        }
    }

    private void Close(string cause)
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0)
            return;
        _onClosed(cause);
        _commands.Close();
        _socket.Dispose();
        _opened.TrySetResult();
    }
}
