namespace PushNode.Tests.History;

/// <summary>Redis goes on in another epoch: what members hear of it, and that nothing of the older one is taken for the younger.</summary>
public sealed class FailoverTests : IAsyncDisposable
{
    private readonly RememberingNode _node = new();

    [Fact]
    public async Task A_Redis_that_lost_its_memory_is_told_as_that()
    {
        var client = await _node.JoinAsync("r");
        _node.History.Append("r", "1", "2");
        await _node.Node.FlushAsync();
        _node.Node.Backplane.GoAway();
        _node.History.Forget("r", "f");
        _node.History.Miss("r", "\"one\"");
        _node.Node.Backplane.ComeBack();
        await _node.ReceivesAsync(client, "\"one\"]");
        await _node.GetsAsync(client, "JOINED e.0", "PUSH e.2 [1,2]", "GAP null epoch e.2..f.0", "PUSH f.1 [\"one\"]");
        Assert.Equal(1, _node.Node.Metrics.Read("push.history_gaps", "epoch"));
    }

    [Fact]
    public async Task A_failover_that_lost_the_end_is_told_to_those_who_were_ahead()
    {
        var client = await _node.JoinAsync("r");
        _node.History.Append("r", "1", "2", "3");
        await _node.Node.FlushAsync();
        _node.Node.Backplane.GoAway();
        _node.History.Fork("r", "f", shared: 3);
        _node.Node.Backplane.ComeBack();
        _node.History.Append("r", "4");
        await _node.ReceivesAsync(client, "PUSH f.4 [4]");
        _node.Node.Backplane.GoAway();
        _node.History.Fork("r", "g", shared: 3);
        _node.Node.Backplane.ComeBack();
        _node.History.Append("r", "\"four\"");
        await _node.ReceivesAsync(client, "\"four\"]");
        await _node.GetsAsync(client, "JOINED e.0", "PUSH e.3 [1,2,3]", "PUSH f.4 [4]", "GAP null history f.4..g.3", "PUSH g.4 [\"four\"]");
    }

    /// <summary>An envelope of a dead epoch that was in hand when the room was read must not make it read for ever.</summary>
    [Fact]
    public async Task An_envelope_of_a_dead_epoch_is_dropped()
    {
        var client = await _node.JoinAsync("r");
        var dead = _node.History.Miss("r", "1");
        _node.History.Forget("r", "f");
        _node.History.Publish("r", dead, "d");
        await _node.ReceivesAsync(client, "GAP null epoch e.0..f.0");
        _node.History.Append("r", "2");
        await _node.GetsAsync(client, "JOINED e.0", "GAP null epoch e.0..f.0", "PUSH f.1 [2]");
        Assert.Equal(1, _node.Node.Metrics.Read("push.messages_dropped", "known"));
        Assert.InRange(_node.History.Reads.Length, 2, 3);
    }

    /// <summary>Its messages 3 and 4 are others than those of before, and a read from 4 on does not have them.</summary>
    [Fact]
    public async Task After_a_failover_the_node_reads_from_where_both_agree()
    {
        var client = await _node.JoinAsync("r");
        _node.History.Append("r", "1", "2");
        _node.History.Append("r", "3", "4");
        await _node.Node.FlushAsync();
        _node.Node.Backplane.GoAway();
        _node.History.Fork("r", "f", shared: 2);
        for (var i = 3; i <= 6; i++)
            _node.History.Miss("r", $"\"new {i}\"");
        _node.Node.Backplane.ComeBack();
        await _node.ReceivesAsync(client, "\"new 6\"]");
        Assert.Equal("1,2,3,4,\"new 3\",\"new 4\",\"new 5\",\"new 6\"", RememberingNode.Items(client));
        Assert.Contains("GAP null history e.4..f.2", RememberingNode.Received(client));
    }

    /// <summary>It says what was so before the failover.</summary>
    [Fact]
    public async Task An_answer_that_comes_after_a_later_one_is_ignored()
    {
        var client = await _node.JoinAsync("r");
        _node.History.HoldsAnswers = true;
        var late = _node.History.Hold();
        _node.Node.Backplane.GoAway();
        _node.Node.Backplane.ComeBack();
        await Eventually.HoldsAsync(() => _node.History.Reads.Length == 2, "the first heal reads");
        _node.History.LetPass();
        _node.Node.Backplane.GoAway();
        _node.History.Fork("r", "f", shared: 0);
        _node.History.Miss("r", "1");
        _node.Node.Backplane.ComeBack();
        await _node.ReceivesAsync(client, "1]");
        late.SetResult();
        _node.History.Append("r", "2");
        await _node.ReceivesAsync(client, "2]");
        Assert.Equal(["JOINED e.0", "PUSH f.1 [1]", "PUSH f.2 [2]"], RememberingNode.Received(client));
    }

    /// <summary>It came while the read was under way: the epoch that Redis will answer next with.</summary>
    [Fact]
    public async Task An_envelope_of_a_younger_epoch_is_read_for()
    {
        var client = await _node.JoinAsync("r");
        _node.History.Append("r", "1");
        await _node.Node.FlushAsync();
        _node.History.Miss("r", "2");
        _node.History.HoldsAnswers = true;
        _node.History.Hold();
        _node.History.Append("r", "3");
        await Eventually.HoldsAsync(() => _node.History.Reads.Length == 2, "the heal reads");
        _node.History.Fork("r", "f", shared: 3);
        _node.History.Append("r", "4");
        await _node.Node.Merging.FlushAsync();
        _node.History.Release();
        await _node.ReceivesAsync(client, "4]");
        Assert.Equal("1,2,3,4", RememberingNode.Items(client));
        Assert.Contains(RememberingNode.Received(client), frame => frame.StartsWith("PUSH f.4 ", StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        await _node.ClosesAsync();
        _node.Dispose();
    }
}
