using System.Net;

namespace PushBackplane.Redis;

/// <summary>
/// Our own connection to Redis, which either subscribes or publishes. Its thread waits in a blocking read and passes payloads on in the
/// order in which Redis sent them: StackExchange.Redis needs several times the CPU for a message that arrives alone (docs/adr/0018). It
/// publishes only where that library cannot (docs/adr/0022). Owned by a <see cref="RedisLink"/>; closed at the first failure. Any thread
/// may call.
/// </summary>
internal sealed class RedisConnection : IRedisPublisher
{
    private readonly RedisSocket _socket;
    private readonly CommandQueue _commands;
    private readonly ReadPace _pace;
    private readonly Action<string> _onClosed;
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isClosed;

    /// <summary>Begins to connect.</summary>
    /// <param name="options">User, password and TLS.</param>
    /// <param name="endPoint">The address of Redis.</param>
    /// <param name="name">The connection's name in <c>CLIENT LIST</c>; null for none.</param>
    /// <param name="gather"><see cref="BackplaneSettings.Gather"/>.</param>
    /// <param name="onClosed">Called once, with the cause, when the connection is closed.</param>
    public RedisConnection(RedisServerOptions options, EndPoint endPoint, string? name, TimeSpan gather, Action<string> onClosed)
    {
        _pace = new ReadPace(gather);
        _onClosed = onClosed;
        _socket = new RedisSocket(options, endPoint);
        _commands = new CommandQueue(e => Close(RedisFailure.Describe(e)));
        if (!string.IsNullOrEmpty(options.Library.Password))
            _ = _commands.AskAsync(Command.Authenticate(options.User, options.Library.Password));
        if (name is not null)
            _ = _commands.AskAsync(new Command("CLIENT", "SETNAME", name));
        new Thread(Run) { Name = "redis", IsBackground = true }.Start();
    }

    /// <summary>Completes when the connection is open, or closed.</summary>
    public Task Opened => _opened.Task;

    /// <summary>Subscribes; commands are sent in the order of the calls. The channel must not be subscribed yet.</summary>
    /// <param name="channel">Taken literally.</param>
    /// <param name="onPayload">Called on the connection's thread with each payload, whose array is never reused; must not throw.</param>
    /// <returns>True when Redis has acknowledged; false when the connection is closed.</returns>
    public Task<bool> SubscribeAsync(string channel, Action<byte[]> onPayload) => _commands.AskAsync(Command.Subscribe(channel, onPayload));

    /// <summary>Ends a subscription. True when Redis has acknowledged; false when the connection is closed.</summary>
    public Task<bool> UnsubscribeAsync(string channel) => _commands.AskAsync(Command.Unsubscribe(channel));

    /// <summary>Sends PING. True when Redis has replied; false when it refused or the connection is closed.</summary>
    public Task<bool> PingAsync() => _commands.AskAsync(new Command("PING"));

    public async Task<long> PublishAsync(string channel, byte[] payload)
    {
        var command = Command.Publish(channel, payload);
        if (await _commands.AskAsync(command))
            return command.Number;
        throw command.Refusal is { } refusal ? new RedisRefusedException(refusal) : new IOException();
    }

    public async Task<byte[]> EvaluateAsync(RedisScript script)
    {
        var command = Command.Evaluate(script);
        if (await _commands.AskAsync(command))
            return command.Status;
        throw command.Refusal is { } refusal ? new RedisRefusedException(refusal, command.RefusalKind) : new IOException();
    }

    public void Dispose() => Close("the connection is being closed");

    private void Run()
    {
        try
        {
            using var stream = _socket.Open(socket => new PacedStream(socket, _pace, () => _commands.IsAwaited, Thread.Sleep));
            _commands.Open(stream);
            _opened.TrySetResult();
            Close(new ReplyReader(stream, _commands, _pace).Run());
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
