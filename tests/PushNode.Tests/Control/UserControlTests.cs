using System.Text;
using PushBackplane.Restrictions;
using PushNode.Control;
using PushNode.Settings;

namespace PushNode.Tests.Control;

public sealed class UserControlTests : IDisposable
{
    private readonly ControlledNode _node = new();

    public void Dispose() => _node.Dispose();

    public static TheoryData<string> Bad =>
    [
        """{"command":"disconnect"}""",
        """{"command":"disconnect","user":""}""",
        """{"command":"disconnect","user":7}""",
        """{"command":"disconnect","user":null}""",
        """{"command":"disconnect","user":"a/b"}""",
        """{"command":"disconnect","user":"\ud800"}""",
        """{"command":"disconnect","user":"alice","room":"r"}""",
        """{"command":"disconnect","user":"alice","node":"node-1"}""",
        """{"command":"disconnect","user":"alice","reason":""}""",
        """{"command":"disconnect","user":"alice","reason":"a\nb"}""",
        """{"command":"disconnect","user":"alice","reason":null}""",
        $$"""{"command":"disconnect","user":"alice","reason":"{{new string('x', 101)}}"}""",
        $$"""{"command":"disconnect","user":"alice","reason":"{{new string('默', 34)}}"}""",
        """{"command":"disconnect","user":"alice","user":"alice"}""",
        """{"command":"Disconnect","user":"alice"}""",
        """{"command":"leave","user":"alice"}""",
        """{"command":"leave","user":"alice","room":".."}""",
        """{"command":"leave","room":"r"}""",
        """{"command":"restrict","kind":"ban","user":"alice"}""",
        """{"command":"restrict","kind":"ban","user":"alice","until":"soon"}""",
        """{"command":"restrict","kind":"ban","user":"alice","until":1.5}""",
        """{"command":"restrict","kind":"ban","user":"alice","until":-1}""",
        """{"command":"restrict","kind":"ban","user":"alice","until":999999999999999}""",
        """{"command":"restrict","kind":"ban","user":"alice","room":"r","until":4000000000}""",
        """{"command":"restrict","kind":"kick","user":"alice","until":4000000000}""",
        """{"command":"restrict","user":"alice","until":4000000000}""",
        """{"command":"unrestrict","kind":"ban","user":"alice","until":4000000000}""",
        """{"command":"unrestrict","kind":"mute"}""",
    ];

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_command_about_a_user_that_is_not_exactly_one_is_counted_and_ignored(string payload)
    {
        var alice = Connect("alice");
        _node.Publish(payload);
        Assert.Equal((1, 1), (_node.Counted("bad_command"), _node.Counted()));
        Assert.False(alice.Connection.IsClosing);
        Assert.Null(_node.Node.Restrictions.BanOf(TestFrames.User("alice")));
        Assert.DoesNotContain("alice", _node.ChannelLog.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Off", true)]
    [InlineData("Required", false)]
    public async Task A_node_is_ready_once_its_bans_are_read_or_after_a_while(string mode, bool isReady)
    {
        using var node = new TestNode(auth: new AuthSettings { Mode = Enum.Parse<AuthMode>(mode) });
        var control = new UserControl(node.Restrictions, node.Users, node.Access, node.Time);
        node.Farm.Hold();
        control.CatchUp();
        Assert.Equal(isReady ? null : "The bans and mutes have not been read yet.", control.NotReadyBecause);
        node.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(control.NotReadyBecause);

        var another = new UserControl(node.Restrictions, node.Users, node.Access, node.Time);
        Assert.Equal(isReady, another.NotReadyBecause is null);
        node.Farm.Release();
        await Eventually.HoldsAsync(() => another.NotReadyBecause is null, "it is ready");
    }

    [Fact]
    public async Task Commands_about_users_are_carried_out()
    {
        var (alice, bob) = (Connect("alice"), Connect("bob"));
        bob.Send("""{"type":"JOIN","data":{"room":"默认房间"}}""");
        _node.Publish(UserCommands.Leave(TestFrames.User("bob"), TestFrames.Room("默认房间")));
        _node.Publish(UserCommands.Disconnect(TestFrames.User("alice"), "退房"));
        _node.Publish(UserCommands.Disconnect(TestFrames.User("carol"), null));
        Assert.Equal((2, 1), (_node.Counted("applied"), _node.Counted("unchanged")));
        await Eventually.HoldsAsync(() => alice.Frames.Count == 1 && bob.Frames.Count == 2, "both are carried out");
        Assert.Equal("退房", Encoding.UTF8.GetString(alice.Frames[^1].Payload.AsSpan(2)));
        Assert.Equal(["JOINED 默认房间", "LEFT 默认房间 removed"], bob.Received);
    }

    [Fact]
    public async Task Restrictions_are_noted_and_lifted()
    {
        // What is read afterwards counts: on a farm it has what was told before.
        await Eventually.HoldsAsync(() => _node.Node.RestrictionLog.Count(4320) == 1, "they are read at the start");
        var until = DateTimeOffset.FromUnixTimeSeconds(_node.Time.GetUtcNow().ToUnixTimeSeconds() + 60);
        var ban = new Restriction(new RestrictionTarget(RestrictionKind.Ban, TestFrames.User("alice")), until, "spam");
        var mute = new Restriction(new RestrictionTarget(RestrictionKind.Mute, TestFrames.User("alice"), TestFrames.Room("r")), until);
        _node.Publish(UserCommands.Restrict(ban));
        _node.Publish(UserCommands.Restrict(mute));
        Assert.Equal(ban, _node.Node.Restrictions.BanOf(TestFrames.User("alice")));
        Assert.Equal(mute, _node.Node.Restrictions.MuteOf(TestFrames.User("alice"), TestFrames.Room("r")));
        _node.Publish(UserCommands.Unrestrict(ban.Target));
        _node.Publish(UserCommands.Unrestrict(ban.Target));
        Assert.Null(_node.Node.Restrictions.BanOf(TestFrames.User("alice")));
        Assert.Equal((3, 1), (_node.Counted("applied"), _node.Counted("unchanged")));
    }

    [Fact]
    public async Task Restrictions_are_read_at_the_start_and_after_each_return()
    {
        await Eventually.HoldsAsync(() => _node.Node.Farm.Loads == 1, "they are read at the start");
        _node.Node.Backplane.GoAway();
        _node.Node.Backplane.ComeBack();
        await Eventually.HoldsAsync(() => _node.Node.Farm.Loads == 2, "they are read after the return");
    }

    private TestClient Connect(string user) => _node.Node.Connect(out _, principal: TestFrames.Principal(user));
}
