namespace PushBackplane;

/// <summary>One server of the backplane: a Redis server, or the memory backplane itself. Any thread.</summary>
public interface IBackplaneServer
{
    /// <summary>The server's kind and address: "Redis at localhost:6379". Never holds a password.</summary>
    string Description { get; }

    /// <summary>Whether messages flow: connected, every subscription acknowledged, and this process's own canary back in time.</summary>
    bool IsUp { get; }

    /// <summary>
    /// Completes when the server becomes unavailable and stays completed while it is; replaced each time the server comes up. Until the
    /// first attempt to connect is over, the server counts as neither up nor unavailable.
    /// </summary>
    Task Away { get; }

    /// <summary>Completes when the server comes up and stays completed while it is; replaced at each outage.</summary>
    Task Up { get; }
}
