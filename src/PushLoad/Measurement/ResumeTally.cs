namespace PushLoad.Measurement;

/// <summary>The counts of JOINs with a position. One thread writes; others get copies.</summary>
internal sealed class ResumeTally
{
    /// <summary>JOINEDs that say that the position is recovered.</summary>
    public long Recovered { get; set; }

    /// <summary>JOINEDs that say that it is not: the member has missed messages.</summary>
    public long NotRecovered { get; set; }

    /// <summary>Messages that came after a JOINED and were due before its JOIN: what resuming saved.</summary>
    public long CaughtUp { get; set; }

    /// <summary>Changes of a room's epoch, once per member that saw it.</summary>
    public long Epochs { get; set; }

    /// <summary>Connections that this program cut.</summary>
    public long Cuts { get; set; }

    public void Add(ResumeTally other)
    {
        Recovered += other.Recovered;
        NotRecovered += other.NotRecovered;
        CaughtUp += other.CaughtUp;
        Epochs += other.Epochs;
        Cuts += other.Cuts;
    }
}
