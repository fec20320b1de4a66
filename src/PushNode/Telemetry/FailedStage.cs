namespace PushNode.Telemetry;

/// <summary>Where an exception was contained (push_failures_total).</summary>
internal enum FailedStage
{
    /// <summary>While a room was merged: its waiting messages are dropped.</summary>
    Merge,

    /// <summary>While a room was subscribed, or those who waited for it were told: they may stay without an answer.</summary>
    Subscription,

    /// <summary>While a frame was pushed: the member's connection is closed.</summary>
    FanOut,

    /// <summary>While a client's bytes, requests or time were handled: its connection is closed.</summary>
    Client,
}
