using System.Text;
using PushLoad.Messages;
using PushLoad.Verification;

namespace PushLoad.Tests.Verification;

/// <summary>Messages are due every 10 microseconds: message n at 10 n. The member's JOINED came at 45 unless said otherwise.</summary>
public sealed class SequenceCheckTests
{
    /// <remarks>
    /// A PUSH is its numbers with commas; <c>g3</c> is a GAP of 3, <c>g?</c> one of unknown size; <c>end9</c> is the end of the run at message 9,
    /// <c>left</c> a LEFT.
    /// </remarks>
    [Theory]
    [InlineData("5 6,7 8 end8", "")] // All is well.
    [InlineData("5,6,7,8 end8", "")]
    [InlineData("4,5 6 end6", "")] // A message from before the JOINED may come along.
    [InlineData("end4", "")] // None was due after the JOINED.
    [InlineData("5 left", "")] // Messages after LEFT do not count.
    [InlineData("left", "")]
    [InlineData("5 7 end7", "lost 6-6")] // Loss: between frames,
    [InlineData("5,7 end7", "lost 6-6")] // within one,
    [InlineData("5 6 end9", "lost 7-9")] // at the end,
    [InlineData("end9", "lost 5-9")] // of everything,
    [InlineData("7 8 end8", "lost 5-6")] // at the beginning,
    [InlineData("5 8 11 end11", "lost 6-7, lost 9-10")] // more than once,
    [InlineData("5 9 left", "lost 6-8")] // before a LEFT.
    [InlineData("5 5 6 end6", "duplicates 1")]
    [InlineData("5,5 6 end6", "duplicates 1")]
    [InlineData("5 6 7 5,6,7 end7", "duplicates 3")]
    [InlineData("5 7 6 8 end8", "reordered 1")]
    [InlineData("5,7,6,8 end8", "reordered 1")]
    [InlineData("5 9 7 end9", "lost 6-6, lost 8-8, reordered 1")]
    [InlineData("6 5 7 end7", "lost 5-5, reordered 1")] // 6 showed that 5 was missing; then 5 arrived.
    [InlineData("5 7 6 6 end7", "duplicates 1, reordered 1")]
    [InlineData("5 g3 9 end9", "announced 3")]
    [InlineData("5 g1 g2 9 end9", "announced 3")]
    [InlineData("5 g2 9 end9", "lost 6-8 but 2, announced 2")] // A GAP that announces too little,
    [InlineData("5 g4 9 end9", "announced 3, in vain 1")] // too much,
    [InlineData("5 g2 6 end6", "in vain 2")] // or announces what is not missing.
    [InlineData("5 g1 7 10 end10", "announced 1, lost 8-9")] // It covers the next hole only.
    [InlineData("5 g1 6 8 end8", "in vain 1, lost 7-7")]
    [InlineData("5 g? 9 end9", "announced 3")]
    [InlineData("5 g? 6 9 end9", "lost 7-8")]
    [InlineData("5 g? 6 end6", "")]
    [InlineData("5 g3 end8", "announced 3")]
    [InlineData("g4 9 end9", "announced 4")] // It covers what came between JOINED and the first PUSH,
    [InlineData("g7 9 end9", "announced 4")] // and may announce messages before the JOINED.
    [InlineData("g2 9 end9", "lost 5-8 but 2, announced 2")]
    [InlineData("5 6 left 9 end9", "")] // After LEFT and a new JOINED the check starts over.
    public void Events_of_a_member_give_the_expected_verdict(string events, string expected)
    {
        var (times, faults) = (new PublishTimes(), new MemberFaults());
        // Other members have received all messages.
        for (var sequence = 1; sequence <= 20; sequence++)
            times.Add(sequence, 10 * sequence);
        var check = new SequenceCheck(times, faults);
        check.Begin(45);

        foreach (var step in events.Split(' '))
        {
            if (step == "left")
            {
                check.End();
                check.Begin(85);
            }
            else if (step.StartsWith("end", StringComparison.Ordinal))
            {
                check.EndAt(Until(long.Parse(step[3..])));
            }
            else if (step[0] == 'g')
            {
                check.Announce(step == "g?" ? null : long.Parse(step[1..]));
            }
            else
            {
                check.Receive(Push(step.Split(',').Select(long.Parse)));
            }
        }

        Assert.Equal(expected.Split(", ").Order(), Text(faults).Order());
    }

    [Fact]
    public void A_lone_member_notices_that_its_first_message_came_too_late()
    {
        var faults = new MemberFaults();
        var check = new SequenceCheck(new PublishTimes(), faults);
        check.Begin(45);
        check.Receive(Push([9]));
        check.EndAt(Until(9));
        // It cannot know how many are missing; the predecessor certainly is.
        Assert.Equal(["lost 8-8"], Text(faults));
    }

    [Fact]
    public void Losses_of_unconfirmed_messages_count_apart()
    {
        var faults = new MemberFaults();
        faults.Holes[new Hole(10, 19, 2)] = 3;
        var result = new SequenceResult();
        result.Add("room", faults, [(5, 12), (18, 30)]);
        // Ten, less two announced, less 10, 11, 12, 18 and 19; three members each.
        Assert.Equal((9, 15), (result.Lost, result.MissingUnconfirmed));
        Assert.Equal(["room: 10 to 19, missed by 3"], result.Examples);
    }

    [Theory]
    [InlineData("5,6", 6, true)]
    [InlineData("5", 6, false)]
    [InlineData("", 6, false)]
    [InlineData("", 4, true)]
    public void A_member_has_all_when_the_last_message_came_or_precedes_its_joined(string push, long last, bool expected)
    {
        var check = new SequenceCheck(new PublishTimes(), new MemberFaults());
        check.Begin(45);
        if (push.Length > 0)
            check.Receive(Push(push.Split(',').Select(long.Parse)));
        Assert.Equal(expected, check.HasAll(Until(last)));
    }

    private static Expectation Until(long last) => new(last, 10 * last, []);

    private static Batch Push(IEnumerable<long> sequences)
    {
        var buffer = new byte[200];
        var items = sequences
            .Select(sequence => new LoadMessage(1, 0, sequence, 10 * sequence, sequence == 1 ? 0 : 10))
            .Select(message => Encoding.UTF8.GetString(buffer, 0, message.Write(buffer, 0)));
        return Batch.TryParse(Encoding.UTF8.GetBytes($"[{string.Join(',', items)}]"), 1, 0, 0)!;
    }

    private static List<string> Text(MemberFaults faults)
    {
        var found = faults.Holes.Keys.Select(hole => $"lost {hole.First}-{hole.Last}{(hole.Announced > 0 ? $" but {hole.Announced}" : "")}").ToList();
        (string Name, long Count)[] counts =
        [
            ("duplicates", faults.Duplicates), ("reordered", faults.Reordered),
            ("announced", faults.Announced), ("in vain", faults.AnnouncedInVain),
        ];
        foreach (var (name, count) in counts)
        {
            if (count > 0)
                found.Add($"{name} {count}");
        }

        return found.Count == 0 ? [""] : found;
    }
}
