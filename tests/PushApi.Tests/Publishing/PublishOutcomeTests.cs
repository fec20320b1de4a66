using PushApi.Publishing;

namespace PushApi.Tests.Publishing;

public class PublishOutcomeTests
{
    [Fact]
    public void Several_rooms_report_the_least_nodes()
        => Assert.Equal(PublishOutcome.Confirmed(2), PublishOutcome.Combine([PublishOutcome.Confirmed(3), PublishOutcome.Confirmed(2), PublishOutcome.Confirmed(5)]));

    [Fact]
    public void One_unconfirmed_room_leaves_the_whole_unconfirmed()
        => Assert.Equal(PublishOutcome.NotConfirmed, PublishOutcome.Combine([PublishOutcome.Confirmed(3), PublishOutcome.NotConfirmed]));

    [Fact]
    public void A_mix_of_confirmed_and_unsent_counts_as_sent_because_a_retry_duplicates_part_of_it()
        => Assert.Equal(PublishOutcome.NotConfirmed, PublishOutcome.Combine([PublishOutcome.NotSent, PublishOutcome.Confirmed(3)]));

    [Fact]
    public void Only_if_no_room_was_sent_the_whole_is_unsent()
        => Assert.Equal(PublishOutcome.NotSent, PublishOutcome.Combine([PublishOutcome.NotSent, PublishOutcome.NotSent]));
}
