namespace PushBackplane;

/// <summary>One server of the backplane, or the memory that takes its place. Any thread.</summary>
public interface IBackplaneServer
{
    /// <summary>What and where it is: "Redis at localhost:6379". Never holds a password.</summary>
    string Description { get; }

    /// <summary>Whether messages flow: connected, every subscribed channel acknowledged, and the own canary back in time.</summary>
    bool IsUp { get; }

    /// <summary>
    /// Completes when the server goes away; complete while it is away. A new task for each time it is up. Before the first attempt to connect is over, the
    /// server is neither up nor away.
    /// </summary>
    Task Away { get; }

    /// <summary>Completes when the server is up; complete while it is. A new task for each outage.</summary>
    Task Up { get; }
}
