using Microsoft.Extensions.Logging;

namespace PushBackplane.Redis;

/// <summary>
/// Calls the functions of a <see cref="FunctionLibrary"/> on one server, and loads the library there: at each link-up, because redis-cli may need
/// it, and when Redis says that it does not have a function. Runs them as scripts where Redis has no functions or the user has no right to them.
/// Lives as long as the server; any thread.
/// </summary>
internal sealed class RedisFunctions(RedisServer server, FunctionLibrary library, ILogger logger)
{
    private readonly Lock _lock = new();
    private Task<ScriptAnswer>? _loading;
    private string? _told;
    private volatile bool _isWithout;

    /// <summary>Loads the library on each new link, until the program stops.</summary>
    public async Task KeepLoadedAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            await server.Up.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stopping.IsCancellationRequested)
                return;
            // Another server may be behind the address, or have another version.
            _isWithout = false;
            await LoadAsync();
            await server.Away.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Calls a function. Waits for Redis as long as for two publishes at most.</summary>
    /// <param name="function">One of the library's.</param>
    /// <param name="keys">Its keys.</param>
    /// <param name="arguments">Its arguments; must not change until Redis has answered.</param>
    public async Task<ScriptAnswer> CallAsync(LibraryFunction function, string[] keys, params byte[][] arguments)
    {
        if (_isWithout)
            return await EvaluateAsync(function, keys, arguments);

        var answer = await server.EvaluateAsync(RedisScript.Function(function.Name, keys, arguments));
        if (answer.Refusal == RefusalKind.NotLoaded)
        {
            // Both on one connection, so that the library is there when Redis comes to the call.
            var loading = LoadAsync();
            answer = await server.EvaluateAsync(RedisScript.Function(function.Name, keys, arguments));
            if (answer.Refusal == RefusalKind.NotLoaded && await loading is { Refusal: RefusalKind.Passing } refused)
                return refused;
        }

        if (answer.Refusal is not (RefusalKind.NotLoaded or RefusalKind.NoCommand))
            return answer;
        _isWithout = true;
        if (Interlocked.Exchange(ref _told, answer.Cause) != answer.Cause)
            logger.WithoutFunctions(server.Description, answer.Cause!);
        return await EvaluateAsync(function, keys, arguments);
    }

    private async Task<ScriptAnswer> EvaluateAsync(LibraryFunction function, string[] keys, byte[][] arguments)
    {
        var answer = await server.EvaluateAsync(RedisScript.Known(function.Sha1, keys, arguments));
        return answer.Refusal is RefusalKind.NotLoaded or RefusalKind.NoCommand
            ? await server.EvaluateAsync(RedisScript.Script(function.Script, keys, arguments))
            : answer;
    }

    /// <summary>One loading at a time, which all who need it share.</summary>
    private Task<ScriptAnswer> LoadAsync()
    {
        lock (_lock)
        {
            if (_loading is null or { IsCompleted: true })
                _loading = server.EvaluateAsync(RedisScript.Load(library.Text));
            return _loading;
        }
    }
}
