using PushBackplane.Publishing;

namespace PushApi.Tests.Publishing;

public class PublishOutcomeTests
{
    [Fact]
    public void Several_rooms_report_the_smallest_number_of_nodes()
    {
        PublishOutcome[] outcomes = [PublishOutcome.Confirmed(3), PublishOutcome.Confirmed(2), PublishOutcome.Confirmed(5)];
        Assert.Equal(PublishOutcome.Confirmed(2), PublishOutcome.Combine(outcomes));
    }

    [Fact]
    public void One_unconfirmed_room_makes_the_request_unconfirmed()
        => Assert.Equal(PublishOutcome.NotConfirmed, PublishOutcome.Combine([PublishOutcome.Confirmed(3), PublishOutcome.NotConfirmed]));

    [Fact]
    public void A_mix_of_confirmed_and_unsent_rooms_counts_as_sent()
        => Assert.Equal(PublishOutcome.NotConfirmed, PublishOutcome.Combine([PublishOutcome.NotSent, PublishOutcome.Confirmed(3)]));

    [Fact]
    public void A_request_is_replayed_only_if_every_room_was()
    {
        Assert.Equal(PublishOutcome.Replayed(1), PublishOutcome.Combine([PublishOutcome.Replayed(2), PublishOutcome.Replayed(1)]));
        Assert.Equal(PublishOutcome.Confirmed(1), PublishOutcome.Combine([PublishOutcome.Replayed(2), PublishOutcome.Confirmed(1), PublishOutcome.Replayed(3)]));
    }

    [Theory]
    [InlineData(PublishResult.Reused)]
    [InlineData(PublishResult.Unsupported)]
    internal void A_refused_key_in_one_room_counts_before_all_else(PublishResult refused)
    {
        var outcome = new PublishOutcome(refused);
        PublishOutcome[] others = [PublishOutcome.Confirmed(1), PublishOutcome.Replayed(1), PublishOutcome.NotConfirmed, PublishOutcome.NotSent];
        foreach (var other in others)
        {
            Assert.Equal(outcome, PublishOutcome.Combine([other, outcome]));
            Assert.Equal(outcome, PublishOutcome.Combine([outcome, other]));
        }
    }

    [Fact]
    public void A_request_is_unsent_only_if_no_room_was_sent()
        => Assert.Equal(PublishOutcome.NotSent, PublishOutcome.Combine([PublishOutcome.NotSent, PublishOutcome.NotSent]));
}
