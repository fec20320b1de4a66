namespace PushLoad.Measurement;

/// <summary>The counts of what connections send: each SEND is accepted, refused or unanswered. One thread writes; others get copies.</summary>
internal sealed class SendTally
{
    /// <summary>SENDs.</summary>
    public long Sent { get; set; }

    /// <summary>Those that the server answered with SENT.</summary>
    public long Accepted { get; set; }

    /// <summary>Those whose connection ended before the answer, or whose answer did not come in time.</summary>
    public long Unanswered { get; set; }

    /// <summary>Those that the server answered with ERROR, by its code.</summary>
    public Dictionary<string, long> Refused { get; init; } = [];

    /// <summary>Sent messages, once per connection that received it.</summary>
    public long Deliveries { get; set; }

    /// <summary>Members that were in their room all the time, and so should have received every accepted message once.</summary>
    public long CheckedMembers { get; set; }

    /// <summary>Accepted messages that such a member did not receive.</summary>
    public long Lost { get; set; }

    /// <summary>Messages that such a member received a second time, or that were not accepted.</summary>
    public long Surplus { get; set; }

    public void Add(SendTally other)
    {
        Sent += other.Sent;
        Accepted += other.Accepted;
        Unanswered += other.Unanswered;
        Deliveries += other.Deliveries;
        CheckedMembers += other.CheckedMembers;
        Lost += other.Lost;
        Surplus += other.Surplus;
        Tally.Add(Refused, other.Refused);
    }
}
