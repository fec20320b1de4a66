using System.Net;
using PushNode.Connections;
using PushNode.Control;

namespace PushNode.Tests.Control;

/// <summary>Which addresses without a connection are remembered.</summary>
public sealed class AddressTableTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void An_address_that_comes_and_goes_is_remembered_once()
    {
        var table = Create(mostIdle: 2);
        for (var i = 0; i < 100; i++)
        {
            Visit(table, "192.0.2.1");
            Assert.Equal((1, 1), (table.Count, table.Idle));
            _time.Advance(TimeSpan.FromSeconds(0.5));
        }

        Visit(table, "192.0.2.2");
        Assert.Equal((2, 2, 0), (table.Count, table.Idle, table.Forgotten));
        Visit(table, "192.0.2.3");
        Assert.Equal((2, 2, 1), (table.Count, table.Idle, table.Forgotten));

        _time.Advance(TimeSpan.FromSeconds(60));
        table.Sweep(_time.GetTimestamp());
        Assert.Equal((0, 0), (table.Count, table.Idle));
    }

    [Fact]
    public void An_address_with_a_connection_needs_no_room_among_them()
    {
        var table = Create(mostIdle: 1);
        Visit(table, "192.0.2.1");
        Assert.Null(table.TryEnter(Network("192.0.2.2"), _time.GetTimestamp(), out _));
        Assert.Equal((2, 1, 0), (table.Count, table.Idle, table.Forgotten));
        // The other one has a connection again, and this one leaves.
        Assert.Null(table.TryEnter(Network("192.0.2.1"), _time.GetTimestamp(), out _));
        table.Leave(Network("192.0.2.2"), _time.GetTimestamp());
        Assert.Equal((2, 1, 0), (table.Count, table.Idle, table.Forgotten));
    }

    private static ClientNetwork Network(string address) => ClientNetwork.Of(IPAddress.Parse(address));

    private AddressTable Create(int mostIdle) => new(mostConnections: 0, new RateLimit(2, 10, _time), mostIdle);

    private void Visit(AddressTable table, string address)
    {
        Assert.Null(table.TryEnter(Network(address), _time.GetTimestamp(), out _));
        table.Leave(Network(address), _time.GetTimestamp());
    }
}
