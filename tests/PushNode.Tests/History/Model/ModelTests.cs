using System.Globalization;

namespace PushNode.Tests.History.Model;

/// <summary>
/// The protocol of positions and resume, explored completely in small configurations. PUSH_MODEL=complete, which tests/model.sh sets, explores
/// also those with many states.
/// </summary>
public class ModelTests(ITestOutputHelper output)
{
    private const int MostStates = 80_000;

    public static TheoryData<string> Explored =>
        [.. Configurations.All.Where(one => IsComplete || one.States <= MostStates).Select(one => one.Name)];

    public static TheoryData<Wrong, string, string> WrongVariants => new()
    {
        { Wrong.ReadBeforeAcknowledgement, "two members", "I6" },
        { Wrong.LookThenAdd, "two members", "I6" },
        { Wrong.NoSeqFilter, "two members", "I2" },
        { Wrong.FramesBeforeJoined, "two members", "I2" },
        { Wrong.NoEpochInHeal, "lossy failover", "I6" },
        { Wrong.PrependUnchecked, "ring of one", "I2" },
        { Wrong.NoFence, "lossy failover", "I6" },
        { Wrong.JoinedAtSliceEnd, "two members", "I3" },
        { Wrong.GapForgetsItsBeginning, "stall", "I2" },
        { Wrong.SinceAheadOfRing, "two nodes, one message", "I2" },
        { Wrong.SwitchOnEnvelope, "lossy failover", "I6" },
        { Wrong.NoFloorInHeal, "trim, link", "I6" },
        { Wrong.OnePageOnly, "pages of one, link, trim", "I6" },
        { Wrong.PagesUnchecked, "pages of one, ring of one, two trims", "I2" },
        { Wrong.OverflowForgotten, "buffer of one, link", "I6" },
        { Wrong.LeftOnOldHome, "two homes, there and back", "I6" },
    };

    private static bool IsComplete => Environment.GetEnvironmentVariable("PUSH_MODEL") == "complete";

    [Theory]
    [MemberData(nameof(Explored))]
    public void The_invariants_hold_in_every_state(string name)
    {
        var configuration = Configurations.Of(name);

        var exploration = Exploration.Run(configuration.Options);

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{exploration.States:N0} states"));
        Assert.True(exploration.Violated is null, exploration.Counterexample);
        Assert.Equal(configuration.States, exploration.States);
    }

    [Theory]
    [MemberData(nameof(WrongVariants))]
    public void A_wrong_protocol_is_caught(Wrong wrong, string name, string invariant)
    {
        var exploration = Exploration.Run(Configurations.Of(name).Options with { Wrong = wrong });

        output.WriteLine(exploration.Counterexample ?? $"none of {exploration.States} states violates an invariant");
        Assert.Equal(invariant, exploration.Violated);
    }
}
