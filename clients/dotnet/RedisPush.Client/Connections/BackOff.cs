namespace RedisPush.Client.Connections;

/// <summary>
/// How long to wait before the next connection: full jitter, a random time below a bound that doubles with each attempt. A connection that
/// lived longer than the bound before it begins again at the smallest, so that a server which accepts and drops clients is not hurried.
/// </summary>
internal sealed class BackOff
{
    private readonly TimeSpan _smallest;
    private readonly TimeSpan _largest;
    private TimeSpan _bound;
    private bool _hinted;

    /// <param name="smallest">The bound of the first wait.</param>
    /// <param name="largest">The bound that is never exceeded.</param>
    public BackOff(TimeSpan smallest, TimeSpan largest) => (_smallest, _largest, _bound) = (smallest, largest, smallest);

    /// <param name="end">How the last connection ended.</param>
    /// <param name="lived">How long it was open.</param>
    public TimeSpan Next(ConnectionEnd end, TimeSpan lived)
    {
        if (lived > _bound)
            (_bound, _hinted) = (_smallest, false);
        // Wait at least Retry-After, plus up to the same again, so that clients refused together return spread out.
        var jitter = end.RetryAfter > _bound ? end.RetryAfter : _bound;
        // A second hint in a row gets jitter: `retry=0` must not become a tight loop.
        var wait = end.RetryIn is { } hint && !_hinted ? hint : (end.RetryIn ?? end.RetryAfter) + (jitter * Random.Shared.NextDouble());
        _hinted = end.RetryIn is not null;
        _bound = _bound * 2 < _largest ? _bound * 2 : _largest;
        return wait;
    }
}
