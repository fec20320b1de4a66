using PushNode.Settings;

namespace PushNode.Tests.History;

/// <summary>HISTORY of what the node remembers: answered as Redis would, without asking it.</summary>
public sealed class PagingTests : IDisposable
{
    private readonly RememberingNode _node = new();

    [Fact]
    public async Task What_the_node_remembers_is_answered_without_a_read()
    {
        var client = await JoinedAsync("1", "2", "3");
        await AsksAsync(client, "e.0", limit: 2, "recovered:true e.2[1,2] more");
        await AsksAsync(client, "e.2", limit: 2, "recovered:true e.3[3]");
        await AsksAsync(client, "e.3", limit: 2, "recovered:true e.3[]");
        await AsksAsync(client, null, limit: 2, "e.2[1,2] more");
        Assert.Single(_node.History.Reads);
    }

    [Fact]
    public async Task What_it_does_not_remember_is_read()
    {
        _node.History.Miss("r", "1", "2");
        var client = await JoinedAsync("3");
        await AsksAsync(client, "e.1", limit: 5, "recovered:true e.3[2,3]");
        await AsksAsync(client, null, limit: 5, "e.3[1,2,3]");
        await AsksAsync(client, "e.9", limit: 5, "recovered:false e.3[1,2,3]");
        await AsksAsync(client, "x.2", limit: 5, "recovered:false e.3[1,2,3]");
        var reads = _node.History.Reads.Length;
        await AsksAsync(client, "e.2", limit: 5, "recovered:true e.3[3]");
        Assert.Equal(reads, _node.History.Reads.Length);
    }

    [Fact]
    public async Task An_older_epoch_is_continued_from_as_far_as_it_is_shared()
    {
        var client = await JoinedAsync("1", "2");
        _node.History.Append("r", "3");
        await _node.Node.FlushAsync();
        _node.Node.Backplane.GoAway();
        _node.History.Fork("r", "f", shared: 2);
        _node.Node.Backplane.ComeBack();
        await Eventually.HoldsAsync(() => _node.Room("r").History!.Range?.End.Epoch == "f", "the heal");
        _node.History.Append("r", "\"new\"");
        await _node.Node.FlushAsync();
        var reads = _node.History.Reads.Length;
        await AsksAsync(client, "f.2", limit: 5, "recovered:true f.3[\"new\"]");
        await AsksAsync(client, "e.2", limit: 5, "recovered:true f.3[\"new\"]");
        Assert.Equal(reads, _node.History.Reads.Length);
        await AsksAsync(client, "e.3", limit: 5, "recovered:false f.3[\"new\"]");
        Assert.NotEqual(reads, _node.History.Reads.Length);
    }

    [Fact]
    public async Task Deleted_messages_are_not_answered()
    {
        var client = await JoinedAsync("1", "2", "3");
        _node.History.Delete("r");
        await _node.Node.FlushAsync();
        await AsksAsync(client, "e.1", limit: 5, "recovered:false e.3[]");
        await AsksAsync(client, null, limit: 5, "e.3[]");
        Assert.Equal(2, _node.History.Reads.Length);
    }

    [Fact]
    public async Task Plain_messages_are_left_out_and_numbers_stay_what_they_are()
    {
        var client = await JoinedAsync("1", $"\"{new string('x', 2_000)}\"");
        _node.Node.Backplane.Publish("push:room:r", "\"plain\"");
        _node.History.Append("r", "text");
        await _node.Node.FlushAsync();
        await AsksAsync(client, "e.0", limit: 5, $"recovered:true e.3[1,\"{new string('x', 2_000)}\",\"text\"]");
        Assert.Single(_node.History.Reads);
    }

    [Fact]
    public async Task An_answer_from_memory_is_not_larger_than_half_an_outbox_either()
    {
        using var node = new RememberingNode(outbox: new OutboxSettings { MaxBytes = 4_096 });
        var client = await node.JoinAsync("r");
        for (var i = 0; i < 4; i++)
            node.History.Append("r", $"\"{new string('x', 998)}\"");
        await node.Node.FlushAsync();
        var item = $"\"{new string('x', 998)}\"";
        await AsksAsync(client, "e.0", limit: 5, $"recovered:true e.2[{item},{item}] more");
        Assert.Single(node.History.Reads);
    }

    public void Dispose() => _node.Dispose();

    /// <summary>A client in the room, and messages that have left since.</summary>
    private async Task<TestClient> JoinedAsync(params string[] items)
    {
        var client = await _node.JoinAsync("r");
        _node.History.Append("r", items);
        await _node.Node.FlushAsync();
        return client;
    }

    private static async Task AsksAsync(TestClient client, string? since, int limit, string answer)
    {
        var before = client.Frames.Count;
        var place = since?.Split('.') is [var epoch, var offset] ? $"\"since\":{{\"epoch\":\"{epoch}\",\"offset\":{offset}}}," : "";
        client.Send($"{{\"type\":\"HISTORY\",\"id\":7,\"data\":{{\"room\":\"r\",{place}\"limit\":{limit}}}}}");
        await Eventually.HoldsAsync(() => client.Frames.Count > before, answer);
        Assert.Equal($"HISTORY r {answer} 7", client.Frames[before].Summary);
    }
}
