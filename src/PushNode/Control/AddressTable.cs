using System.Runtime.InteropServices;
using PushNode.Connections;
using PushNode.Messages;

namespace PushNode.Control;

/// <summary>
/// What the clients of each network use: connections, and handshakes of late. A network is in the table while it has a connection, whose
/// number the node's own limits bound, or while its burst is not whole again; of the latter it keeps <paramref name="mostIdle"/>, and
/// forgets those that leave beyond that. Lives as long as the node; any thread.
/// </summary>
/// <param name="mostConnections">Of one network; 0 for any number.</param>
/// <param name="rate">Of one network's handshakes; null for any.</param>
/// <param name="mostIdle">The networks without a connection to remember.</param>
internal sealed class AddressTable(int mostConnections, RateLimit? rate, int mostIdle)
{
    private const int Stripes = 64;

    /// <summary>A stripe's dictionary that was larger than this and is nearly empty gives its memory back.</summary>
    private const int Small = 64;

    private readonly Stripe[] _stripes = [.. Enumerable.Range(0, Stripes).Select(_ => new Stripe())];

    // Across all stripes; changed with each of theirs.
    private int _idle;
    private long _forgotten;

    /// <summary>The networks in it.</summary>
    public int Count => _stripes.Sum(stripe => stripe.Count);

    /// <summary>Those of them without a connection.</summary>
    public int Idle => Volatile.Read(ref _idle);

    /// <summary>Networks that were forgotten before their burst was whole.</summary>
    public long Forgotten => Interlocked.Read(ref _forgotten);

    /// <summary>Counts a handshake and a connection, which <see cref="Leave"/> gives back.</summary>
    /// <returns>The reason if either would be over its limit; then nothing is counted.</returns>
    public Refusal? TryEnter(ClientNetwork network, long now, out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        var stripe = StripeOf(network);
        lock (stripe.Lock)
        {
            ref var use = ref CollectionsMarshal.GetValueRefOrAddDefault(stripe.Uses, network, out var isKnown);
            // Whatever the limits, a network that is new is within them.
            if (mostConnections > 0 && use.Connections >= mostConnections)
                return Refusal.AddressFull;
            if (rate is not null && !rate.TryTake(ref use.Handshakes, now))
            {
                wait = rate.TimeToNext(use.Handshakes, now);
                return Refusal.AddressRate;
            }

            if (isKnown && use.Connections == 0)
                Interlocked.Decrement(ref _idle);
            use.Connections++;
            return null;
        }
    }

    /// <summary>A connection has ended, or never opened.</summary>
    /// <param name="network">Whose it was.</param>
    /// <param name="now">A time stamp.</param>
    /// <param name="returnsHandshake">Its handshake does not count either.</param>
    public void Leave(ClientNetwork network, long now, bool returnsHandshake = false)
    {
        var stripe = StripeOf(network);
        lock (stripe.Lock)
        {
            ref var use = ref CollectionsMarshal.GetValueRefOrNullRef(stripe.Uses, network);
            if (returnsHandshake)
                rate?.Return(ref use.Handshakes);
            if (--use.Connections > 0)
                return;
            if (use.Handshakes <= now)
            {
                stripe.Uses.Remove(network);
            }
            else if (Interlocked.Increment(ref _idle) > mostIdle)
            {
                Interlocked.Decrement(ref _idle);
                Interlocked.Increment(ref _forgotten);
                stripe.Uses.Remove(network);
            }
        }
    }

    /// <summary>Removes networks without a connection whose burst is whole again. Called once a second.</summary>
    public void Sweep(long now)
    {
        foreach (var stripe in _stripes)
        {
            if (stripe.Count == 0)
                continue;
            lock (stripe.Lock)
                SweepLocked(stripe, now);
        }
    }

    private void SweepLocked(Stripe stripe, long now)
    {
        foreach (var (network, use) in stripe.Uses)
        {
            if (use.Connections > 0 || use.Handshakes > now)
                continue;
            stripe.Uses.Remove(network);
            Interlocked.Decrement(ref _idle);
        }

        if (stripe.Uses.Capacity > Small && stripe.Uses.Count < stripe.Uses.Capacity / 4)
            stripe.Uses.TrimExcess();
    }

    private Stripe StripeOf(ClientNetwork network) => _stripes[network.GetHashCode() & (Stripes - 1)];

    private struct Use
    {
        /// <summary>The state of the rate.</summary>
        public long Handshakes;

        public int Connections;
    }

    private sealed class Stripe
    {
        public Lock Lock { get; } = new();

        /// <summary>Guarded by the lock.</summary>
        public Dictionary<ClientNetwork, Use> Uses { get; } = [];

        /// <summary>Read without the lock: one number, which may be a moment old.</summary>
        public int Count => Uses.Count;
    }
}
