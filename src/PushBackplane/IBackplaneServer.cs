namespace PushBackplane;

/// <summary>One server of the backplane, or the memory that takes its place. Any thread.</summary>
public interface IBackplaneServer
{
    /// <summary>What and where it is: "Redis at localhost:6379". Never holds a password.</summary>
    string Description { get; }

    /// <summary>Whether messages flow: connected, every subscription acknowledged, and this process's own canary back in time.</summary>
    bool IsUp { get; }

    /// <summary>
    /// Completes when the server becomes unavailable; completed while it is. A new task each time it comes up. Until the first attempt to
    /// connect is over, the server counts as neither up nor unavailable.
    /// </summary>
    Task Away { get; }

    /// <summary>Completes when the server is up; completed while it is. A new task for each outage.</summary>
    Task Up { get; }
}
