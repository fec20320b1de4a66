using System.Globalization;
using System.Net;
using PushNode.Control;
using PushNode.Messages;
using PushNode.Settings;

namespace PushNode.Tests.Control;

/// <summary>The limits of handshakes and of addresses, with a clock that the test moves.</summary>
public sealed class HandshakeLimitsTests : IDisposable
{
    private const string Home = "192.0.2.1";
    private const string Other = "192.0.2.2";

    private readonly ManualTime _time = new();
    private readonly TestMetrics _metrics = new();

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public void Nothing_is_counted_by_default()
    {
        var limits = Create(new());
        for (var i = 0; i < 10_000; i++)
        {
            Assert.Null(limits.TryEnter(IPAddress.Parse(Home), out var place, out _));
            Assert.Null(place);
        }

        Assert.Equal(0, limits.Networks);
    }

    [Fact]
    public void An_address_has_so_many_connections_and_others_have_theirs()
    {
        var limits = Create(new() { MaxPerAddress = 2 });
        var places = Enter(limits, Home, 2);
        Assert.Equal(Refusal.AddressFull, limits.TryEnter(IPAddress.Parse(Home), out _, out _));
        Enter(limits, Other, 2);

        places[0].Dispose();
        // A second time changes nothing.
        places[0].Dispose();
        Enter(limits, Home, 1);
        Assert.Equal(Refusal.AddressFull, limits.TryEnter(IPAddress.Parse(Home), out _, out _));
        Assert.Equal(2, limits.Networks);
    }

    [Fact]
    public void A_connection_keeps_its_place_until_it_ends()
    {
        var limits = Create(new() { MaxPerAddress = 1 });
        var place = Enter(limits, Home, 1)[0];
        var client = new TestClient(_metrics, _time);
        place.PassTo(client.Connection);
        place.Dispose();
        Assert.Equal(Refusal.AddressFull, limits.TryEnter(IPAddress.Parse(Home), out _, out _));
        limits.Leave(client.Connection);
        limits.Leave(client.Connection);
        Assert.Equal(0, limits.Networks);
        Enter(limits, Home, 1);
    }

    [Fact]
    public void An_address_has_a_rate_and_a_burst()
    {
        var limits = Create(new() { HandshakesPerSecondPerAddress = 2, HandshakeBurstPerAddress = 3 });
        Leave(Enter(limits, Home, 3));
        Assert.Equal(Refusal.AddressRate, limits.TryEnter(IPAddress.Parse(Home), out _, out var wait));
        Assert.Equal(TimeSpan.FromSeconds(0.5), wait);
        Leave(Enter(limits, Other, 3));

        _time.Advance(TimeSpan.FromSeconds(0.5));
        Leave(Enter(limits, Home, 1));
        Assert.Equal(Refusal.AddressRate, limits.TryEnter(IPAddress.Parse(Home), out _, out _));
        _time.Advance(TimeSpan.FromSeconds(10));
        Leave(Enter(limits, Home, 3));
        Assert.Equal(Refusal.AddressRate, limits.TryEnter(IPAddress.Parse(Home), out _, out _));
    }

    [Fact]
    public void The_node_has_a_rate_that_costs_a_refused_client_nothing()
    {
        var limits = Create(new() { HandshakesPerSecond = 10, HandshakeBurst = 4, HandshakesPerSecondPerAddress = 1, HandshakeBurstPerAddress = 3 });
        Leave(Enter(limits, Other, 2));
        Leave(Enter(limits, Home, 2));
        for (var i = 0; i < 5; i++)
            Assert.Equal(Refusal.NodeRate, limits.TryEnter(IPAddress.Parse(Home), out _, out _));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Leave(Enter(limits, Home, 1));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(Refusal.AddressRate, limits.TryEnter(IPAddress.Parse(Home), out _, out _));
    }

    [Fact]
    public void What_one_address_sends_too_much_leaves_the_nodes_rate_to_others()
    {
        var limits = Create(new() { HandshakesPerSecond = 10, HandshakesPerSecondPerAddress = 1, HandshakeBurstPerAddress = 1, MaxPerAddress = 1 });
        Enter(limits, Home, 1);
        for (var i = 0; i < 1000; i++)
            Assert.NotNull(limits.TryEnter(IPAddress.Parse(Home), out _, out _));
        foreach (var i in Enumerable.Range(2, 9))
            Enter(limits, $"192.0.2.{i}", 1);
        Assert.Equal(Refusal.NodeRate, limits.TryEnter(IPAddress.Parse("192.0.2.11"), out _, out _));
        // It was not remembered.
        Assert.Equal(10, limits.Networks);
    }

    [Theory]
    [InlineData(0, 1, 5)]
    [InlineData(0.2, 2, 6)]
    [InlineData(7, 8, 12)]
    public void Refused_clients_come_back_after_their_wait_and_spread_out(double wait, int least, int most)
    {
        var seconds = Enumerable.Range(0, 1000)
            .Select(_ => int.Parse(HandshakeLimits.RetryAfter(TimeSpan.FromSeconds(wait)), CultureInfo.InvariantCulture)).ToHashSet();
        Assert.Equal(Enumerable.Range(least, most - least + 1), seconds.Order());
    }

    /// <summary>A flood from more addresses than are remembered: those with connections are, whatever happens.</summary>
    [Fact]
    public void The_table_of_addresses_is_bounded_and_freed()
    {
        var limits = Create(new() { HandshakesPerSecondPerAddress = 1, HandshakeBurstPerAddress = 2, MaxPerAddress = 2 });
        Enter(limits, Home, 2);
        Leave(Enter(limits, Other, 2));
        for (var i = 0; i < 150_000; i++)
            Leave(Enter(limits, $"2001:db8:{i >> 16:x}:{i & 0xffff:x}::1", 1));
        Assert.Equal(100_001, limits.Networks);
        Assert.Equal(100_001, _metrics.Read("push.addresses"));
        Assert.Equal(50_001, _metrics.Read("push.addresses_forgotten"));

        // One that was there before has its connections and what it has used; one that was forgotten begins anew.
        Assert.Equal(Refusal.AddressFull, limits.TryEnter(IPAddress.Parse(Home), out _, out _));
        Assert.Equal(Refusal.AddressRate, limits.TryEnter(IPAddress.Parse(Other), out _, out _));
        Leave(Enter(limits, "2001:db8:2:1::1", 2));

        _time.Advance(TimeSpan.FromSeconds(2));
        limits.Sweep();
        Assert.Equal(1, limits.Networks);
        Leave(Enter(limits, "2001:db8:2:1::1", 2));
        Assert.Equal(2, limits.Networks);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Random_clients_are_counted_like_a_simple_model(int run)
    {
        var seed = Environment.TickCount + run;
        TestContext.Current.TestOutputHelper!.WriteLine($"Seed: {seed}");
        var random = new Random(seed);
        var (rate, burst, most) = (random.Next(1, 5), random.Next(1, 8), random.Next(1, 6));
        var limits = Create(new() { HandshakesPerSecondPerAddress = rate, HandshakeBurstPerAddress = burst, MaxPerAddress = most });
        var addresses = Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? IPAddress.Parse($"192.0.2.{i}") : IPAddress.Parse($"2001:db8:0:{i:x}::{i:x}")).ToArray();
        var open = new List<(int Address, IDisposable Place)>();
        var allowance = Enumerable.Repeat((double)burst, addresses.Length).ToArray();
        for (var step = 0; step < 20_000; step++)
        {
            var chosen = random.Next(addresses.Length);
            switch (random.Next(10))
            {
                case < 5:
                    var expected = open.Count(place => place.Address == chosen) >= most ? Refusal.AddressFull
                        : allowance[chosen] < 1 - 1e-6 ? Refusal.AddressRate
                        : (Refusal?)null;
                    Assert.Equal(expected, limits.TryEnter(addresses[chosen], out var place, out _));
                    if (expected is null)
                    {
                        open.Add((chosen, place!));
                        allowance[chosen]--;
                    }

                    break;
                case < 8 when open.Count > 0:
                    var ended = random.Next(open.Count);
                    open[ended].Place.Dispose();
                    open.RemoveAt(ended);
                    break;
                case 8:
                    var pause = TimeSpan.FromMilliseconds(random.Next(500));
                    _time.Advance(pause);
                    allowance = [.. allowance.Select(left => Math.Min(burst, left + pause.TotalSeconds * rate))];
                    break;
                default:
                    limits.Sweep();
                    var remembered = Enumerable.Range(0, addresses.Length).Count(i => allowance[i] < burst - 1e-6 || open.Any(place => place.Address == i));
                    Assert.Equal(remembered, limits.Networks);
                    break;
            }
        }

        open.ForEach(place => place.Place.Dispose());
        _time.Advance(TimeSpan.FromSeconds(burst));
        limits.Sweep();
        Assert.Equal(0, limits.Networks);
    }

    [Fact]
    public async Task Many_threads_at_once_lose_no_count()
    {
        var limits = Create(new() { MaxPerAddress = 3, HandshakesPerSecondPerAddress = 100_000, HandshakeBurstPerAddress = 1_000_000, HandshakesPerSecond = 1_000_000, HandshakeBurst = 100_000 });
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"Seed: {seed}");
        var refused = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            var random = new Random(seed + thread);
            var held = new Queue<IDisposable>();
            for (var i = 0; i < 20_000; i++)
            {
                if (limits.TryEnter(new IPAddress([192, 0, 2, (byte)random.Next(8)]), out var place, out _) is null)
                    held.Enqueue(place!);
                else
                    Interlocked.Increment(ref refused);
                if (held.Count > random.Next(4))
                    held.Dequeue().Dispose();
                if (i % 100 == 0)
                    limits.Sweep();
            }

            foreach (var place in held)
                place.Dispose();
        })));
        Assert.True(refused > 0);
        _time.Advance(TimeSpan.FromSeconds(100));
        limits.Sweep();
        Assert.Equal(0, limits.Networks);
        Enter(limits, "192.0.2.1", 3);
        Assert.Equal(Refusal.AddressFull, limits.TryEnter(IPAddress.Parse("192.0.2.1"), out _, out _));
    }

    private static List<AddressPlace> Enter(HandshakeLimits limits, string address, int times)
    {
        var places = new List<AddressPlace>();
        for (var i = 0; i < times; i++)
        {
            Assert.Null(limits.TryEnter(IPAddress.Parse(address), out var place, out _));
            places.Add(place!);
        }

        return places;
    }

    private static void Leave(List<AddressPlace> places) => places.ForEach(place => place.Dispose());

    private HandshakeLimits Create(ConnectionSettings settings) => new(settings, _metrics.Node, _time, new LogRecorder<HandshakeLimits>());
}
