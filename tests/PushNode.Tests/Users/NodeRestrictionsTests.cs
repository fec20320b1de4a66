using PushBackplane;
using PushBackplane.Restrictions;
using PushNode.Users;

namespace PushNode.Tests.Users;

public sealed class NodeRestrictionsTests : IDisposable
{
    private readonly ManualTime _time = new() { RealTimers = true };
    private readonly TestMetrics _metrics = new();
    private readonly FakeRestrictions _farm = new();
    private readonly LogRecorder<NodeRestrictions> _log = new();
    private readonly List<string> _banned = [];
    private readonly NodeRestrictions _restrictions;

    public NodeRestrictionsTests() =>
        _restrictions = new NodeRestrictions(_farm, new BackplaneSettings { MaxRestrictions = 3 }, _metrics.Node, _time, _log)
        {
            OnBanned = ban =>
            {
                lock (_banned)
                    _banned.Add(ban.Target.User.ToString());
            },
        };

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public void A_mute_applies_everywhere_or_in_one_room()
    {
        Note(Mute("alice", "r"));
        Note(Mute("bob"));
        Assert.Equal((true, false), (IsMuted("alice", "r"), IsMuted("alice", "s")));
        Assert.Equal((true, true, false), (IsMuted("bob", "r"), IsMuted("bob", "s"), IsMuted("carol", "r")));
        Assert.Null(_restrictions.BanOf(TestFrames.User("bob")));
        Assert.True(_restrictions.Lift(Mute("bob").Target));
        Assert.False(_restrictions.Lift(Mute("bob").Target));
        Assert.False(IsMuted("bob", "r"));
    }

    [Fact]
    public void Restrictions_end_by_themselves_and_are_forgotten()
    {
        Note(Ban("alice", 60));
        Note(Mute("bob"));
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.NotNull(_restrictions.BanOf(TestFrames.User("alice")));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_restrictions.BanOf(TestFrames.User("alice")));
        Assert.Equal(2, _metrics.Read("push.restrictions"));
        _restrictions.ForgetOver();
        Assert.Equal(0, _metrics.Read("push.restrictions"));
    }

    [Fact]
    public void There_are_only_so_many_but_those_that_are_over_make_way()
    {
        Note(Ban("a", 10));
        Note(Ban("b", 60));
        Note(Ban("c", 60));
        Assert.False(_restrictions.Note(Ban("d", 60)));
        Note(Ban("b", 120));
        _time.Advance(TimeSpan.FromSeconds(10));
        Note(Ban("d", 60));
        Assert.Equal(3, _metrics.Read("push.restrictions"));
    }

    [Fact]
    public async Task Reading_replaces_what_is_known_and_closes_the_newly_banned()
    {
        Note(Ban("alice", 60));
        _farm.Keep(Ban("bob", 60));
        await ReloadAsync();
        Assert.Null(_restrictions.BanOf(TestFrames.User("alice")));
        Assert.NotNull(_restrictions.BanOf(TestFrames.User("bob")));
        Assert.Equal(["alice", "bob"], _banned);
    }

    [Fact]
    public async Task A_command_that_comes_while_the_farm_s_are_read_wins()
    {
        _farm.Keep(Ban("alice", 60), Ban("bob", 60));
        _farm.Hold();
        _restrictions.Reload();
        await Eventually.HoldsAsync(() => _farm.Loads == 1, "the reading has begun");
        _restrictions.Lift(Ban("alice", 60).Target);
        Note(Ban("carol", 60));
        _farm.Release();
        await Eventually.HoldsAsync(() => _log.Count(4320) == 1, "it is read");
        Assert.Equal((false, true, true), (IsBanned("alice"), IsBanned("bob"), IsBanned("carol")));
    }

    [Fact]
    public async Task A_return_during_a_reading_makes_it_read_again()
    {
        _farm.Hold();
        _restrictions.Reload();
        await Eventually.HoldsAsync(() => _farm.Loads == 1, "the reading has begun");
        _restrictions.Reload();
        _restrictions.Reload();
        _farm.Release();
        await Eventually.HoldsAsync(() => _log.Count(4320) == 2, "it is read twice");
        Assert.Equal(2, _farm.Loads);
    }

    [Fact]
    public async Task An_unavailable_farm_is_asked_until_it_answers_and_changes_nothing_meanwhile()
    {
        Note(Ban("alice", 60));
        _farm.Answer(new RestrictionList(null));
        _restrictions.Reload();
        await Eventually.HoldsAsync(() => _farm.Loads >= 2, "it is asked again");
        Assert.NotNull(_restrictions.BanOf(TestFrames.User("alice")));
        _farm.Keep();
        await Eventually.HoldsAsync(() => _restrictions.BanOf(TestFrames.User("alice")) is null, "it is read");
    }

    [Fact]
    public async Task A_farm_that_refuses_is_asked_again_only_after_the_next_return()
    {
        _farm.Answer(new RestrictionList(null, "its ACL forbids the user EVAL"));
        _restrictions.Reload();
        await Eventually.HoldsAsync(() => _log.Count(4321) == 1, "it is said");
        _farm.Keep(Ban("alice", 60));
        await ReloadAsync();
        Assert.Equal(2, _farm.Loads);
        Assert.NotNull(_restrictions.BanOf(TestFrames.User("alice")));
    }

    private async Task ReloadAsync()
    {
        var read = _log.Count(4320);
        _restrictions.Reload();
        await Eventually.HoldsAsync(() => _log.Count(4320) > read, "it is read");
    }

    private void Note(Restriction restriction) => Assert.True(_restrictions.Note(restriction));

    private bool IsBanned(string user) => _restrictions.BanOf(TestFrames.User(user)) is not null;

    private bool IsMuted(string user, string room) => _restrictions.MuteOf(TestFrames.User(user), TestFrames.Room(room)) is not null;

    private Restriction Ban(string user, int seconds) =>
        new(new RestrictionTarget(RestrictionKind.Ban, TestFrames.User(user)), _time.GetUtcNow().AddSeconds(seconds));

    private Restriction Mute(string user, string? room = null) => new(
        new RestrictionTarget(RestrictionKind.Mute, TestFrames.User(user), room is null ? null : TestFrames.Room(room)), _time.GetUtcNow().AddSeconds(60));
}
