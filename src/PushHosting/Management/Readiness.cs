using System.Diagnostics.Metrics;

namespace PushHosting;

/// <summary>Whether the program should be sent traffic: one answer, on <c>/readyz</c> and as <c>push_ready</c>. Lives as long as the host; any thread.</summary>
internal sealed class Readiness
{
    public const string MeterName = "RedisPush.Hosting";

    private readonly IReadiness[] _conditions;

    public Readiness(IEnumerable<IReadiness> conditions, IMeterFactory meters)
    {
        _conditions = [.. conditions];
        meters.Create(MeterName).CreateObservableGauge("push.ready", () => Reasons().Length == 0 ? 1 : 0, null, "1 while /readyz says ready, 0 while it does not.");
    }

    /// <summary>Why not, one sentence for each condition that does not hold; none when the program is ready.</summary>
    public string[] Reasons() => [.. _conditions.Select(condition => condition.NotReadyBecause).OfType<string>()];

    /// <summary>What an operator should know all the same.</summary>
    public string[] Details() => [.. _conditions.Select(condition => condition.Detail).OfType<string>()];
}
