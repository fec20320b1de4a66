using System.Text.Json;
using PushLoad.Tests.Support;

namespace PushLoad.Tests;

/// <summary>A server that makes one mistake with what connections send, or with messages to users, must not pass.</summary>
public sealed class UserFaultTests
{
    [Theory]
    [InlineData(Fault.None, 0, "ws")]
    [InlineData(Fault.None, 0, "msgpack")]
    [InlineData(Fault.SendLost, 3, "ws")]
    [InlineData(Fault.SendOther, 3, "msgpack")]
    [InlineData(Fault.SendTwice, 4, "ws")]
    [InlineData(Fault.SendRefusedInVain, 4, "ws")]
    [InlineData(Fault.SendForged, 6, "ws")]
    public async Task The_exit_code_names_the_mistake_with_a_SEND(Fault fault, int exitCode, string protocol)
    {
        // The publishing keeps the run going until there have been enough SENDs for the mistake.
        await using var server = await FaultyServer.StartAsync(fault, sendsBeforePublish: 12);
        var (actual, output) = await LoadGenerator.RunAsync(
            server.WebSocketUrl, "--protocol", protocol, "--token-key", TestToken.Secret, "--users", "3", "--send-rate", "100", "--connections", "6",
            "--rooms", "2", "--processes", "2", "--publish", server.ApiUrl, "--rate", "10", "--duration", "2",
            "--drain", LoadGenerator.DrainFor(fault));
        Assert.True(exitCode == actual, $"The exit code is {actual} and not {exitCode}:\n{output}");
    }

    [Fact]
    public async Task What_was_sent_is_what_was_accepted_refused_or_unanswered()
    {
        await using var server = await FaultyServer.StartAsync(Fault.SendRefused, sendsBeforePublish: 21);
        var file = Path.GetTempFileName();
        try
        {
            var (exitCode, output) = await LoadGenerator.RunAsync(
                server.WebSocketUrl, "--token-key", TestToken.Secret, "--api-key", "a-key", "--publish", server.ApiUrl, "--rate", "50", "--send-rate", "100",
                "--user-rate", "50", "--online", "--connections", "6", "--rooms", "2", "--duration", "1",
                "--drain", LoadGenerator.Drain, "--json", file);
            Assert.True(exitCode == 0, output);
            var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            Assert.DoesNotContain(TestToken.Secret, text, StringComparison.Ordinal);
            Assert.DoesNotContain("a-key", text, StringComparison.Ordinal);
            using var json = JsonDocument.Parse(text);
            var total = json.RootElement.GetProperty("total");
            var sends = total.GetProperty("sends");
            long Of(string name) => sends.GetProperty(name).GetInt64();
            Assert.True(Of("sent") > 20, output);
            Assert.Equal((Of("sent") / 2, 0), (sends.GetProperty("refused").GetProperty("slow_mode").GetInt64(), Of("unanswered")));
            Assert.Equal(Of("sent"), Of("accepted") + (Of("sent") / 2));
            Assert.Equal((3 * Of("accepted"), 6, 0, 0), (Of("deliveries"), Of("checkedMembers"), Of("lost"), Of("surplus")));
            Assert.Equal(Of("accepted"), json.RootElement.GetProperty("sentAfter").GetProperty("count").GetInt64());
            // 25 messages to each room of three, and 50 to users with one connection each.
            Assert.Equal((100, 200), (json.RootElement.GetProperty("published").GetProperty("messages").GetInt64(), total.GetProperty("deliveries").GetInt64()));
            Assert.Equal((6, FaultyServer.Online), (total.GetProperty("onlineAnswers").GetInt64(), total.GetProperty("lastOnline").GetInt64()));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData(Fault.None, 0, "ws")]
    [InlineData(Fault.None, 0, "sse")]
    [InlineData(Fault.Drop, 3, "msgpack")]
    [InlineData(Fault.DropTail, 3, "stream")]
    [InlineData(Fault.Duplicate, 4, "sse")]
    [InlineData(Fault.Reorder, 5, "ws")]
    [InlineData(Fault.Change, 6, "ws")]
    public async Task The_exit_code_names_the_mistake_with_a_message_to_a_user(Fault fault, int exitCode, string protocol)
    {
        await using var server = await FaultyServer.StartAsync(fault, usersErr: true);
        var (actual, output) = await LoadGenerator.RunAsync(
            server.UrlOf(protocol), "--protocol", protocol, "--publish", server.ApiUrl, "--token-key", TestToken.Secret, "--users", "2", "--rate", "0",
            "--user-rate", "100", "--connections", "4", "--duration", "0.5", "--drain", LoadGenerator.DrainFor(fault));
        Assert.True(exitCode == actual, $"The exit code is {actual} and not {exitCode}:\n{output}");
    }
}
