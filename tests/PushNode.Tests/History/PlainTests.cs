using System.Text;
using PushBackplane;

namespace PushNode.Tests.History;

/// <summary>Messages without positions in rooms with history: no read brings them back, so that an outage is told.</summary>
public sealed class PlainTests : IDisposable
{
    private readonly RememberingNode _node = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_outage_is_told_once_after_messages_without_positions(bool isEnvelope)
    {
        var client = await _node.JoinAsync("r");
        Publish("1", isEnvelope);
        await _node.GetsAsync(client, "JOINED e.0", "PUSH [1]");
        await OutageAsync();
        _node.History.Append("r", "2");
        await _node.GetsAsync(client, "JOINED e.0", "PUSH [1]", "GAP null backplane", "PUSH e.1 [2]");
        await OutageAsync();
        _node.History.Append("r", "3");
        await _node.GetsAsync(client, "JOINED e.0", "PUSH [1]", "GAP null backplane", "PUSH e.1 [2]", "PUSH e.2 [3]");
    }

    /// <summary>The publisher's user may append there, and the node's may not read.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_outage_is_told_where_the_node_cannot_read_the_history(bool hasPositions)
    {
        _node.History.Refusal = "NOPERM this user has no permissions";
        var client = await _node.JoinAsync("r");
        if (hasPositions)
            _node.History.Append("r", "1");
        else
            Publish("1", isEnvelope: true);
        await _node.GetsAsync(client, "JOINED", "PUSH [1]");
        await OutageAsync();
        await _node.GetsAsync(client, "JOINED", "PUSH [1]", "GAP null backplane");
    }

    public void Dispose() => _node.Dispose();

    private void Publish(string message, bool isEnvelope)
    {
        var item = Encoding.UTF8.GetBytes(message);
        _node.Node.Backplane.Publish("push:room:r", isEnvelope ? Envelope.Encode(DateTimeOffset.UnixEpoch, [item]) : item);
    }

    private async Task OutageAsync()
    {
        var reads = _node.History.Reads.Length;
        _node.Node.Backplane.GoAway();
        _node.Node.Backplane.ComeBack();
        await Eventually.HoldsAsync(() => _node.History.Reads.Length > reads, "the heal reads");
        await _node.Node.FlushAsync();
    }
}
