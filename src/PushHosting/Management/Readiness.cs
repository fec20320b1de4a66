using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;

namespace PushHosting.Management;

/// <summary>One condition for <c>/readyz</c>. Each request checks all registered ones, from any thread; they must be quick.</summary>
public interface IReadiness
{
    /// <summary>Why the process should get no traffic, as a short sentence; null while this condition holds.</summary>
    string? NotReadyBecause { get; }

    /// <summary>A warning for the operator while this condition holds, as one line or several; null if there is none.</summary>
    string? Detail => null;
}

/// <summary>
/// Whether the program should get traffic, for <c>/readyz</c> and <c>push_ready</c>. Lives as long as the host; any thread.
/// </summary>
internal sealed class Readiness
{
    public const string MeterName = "RedisPush.Hosting";

    private readonly IReadiness[] _conditions;

    public Readiness(IEnumerable<IReadiness> conditions, IMeterFactory meters)
    {
        _conditions = [.. conditions];
        meters.Create(MeterName).CreateObservableGauge(
            "push.ready", () => Reasons().Length == 0 ? 1 : 0, null, "1 while /readyz says ready, 0 while it does not.");
    }

    /// <summary>One sentence for each condition that does not hold; none if the program is ready.</summary>
    public string[] Reasons() => [.. _conditions.Select(condition => condition.NotReadyBecause).OfType<string>()];

    /// <summary>The warnings of conditions that hold.</summary>
    public string[] Details() => [.. _conditions.Select(condition => condition.Detail).OfType<string>()];
}

/// <summary>Holds while the application's own listener is open. The management listener opens before it and closes after it.</summary>
internal sealed class IsServing(IHostApplicationLifetime lifetime) : IReadiness
{
    public string? NotReadyBecause =>
        lifetime.ApplicationStopping.IsCancellationRequested ? "The program is stopping."
        : lifetime.ApplicationStarted.IsCancellationRequested ? null
        : "The program is starting.";
}
