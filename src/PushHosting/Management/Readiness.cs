using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;

namespace PushHosting.Management;

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

/// <summary>One condition for <c>/readyz</c>. All registered ones are asked at each request; must be quick and thread-safe.</summary>
public interface IReadiness
{
    /// <summary>Why the process should not be sent traffic, as a short sentence; null when this condition holds.</summary>
    string? NotReadyBecause { get; }

    /// <summary>What an operator should know although this condition holds, as one line or several; null when there is nothing.</summary>
    string? Detail => null;
}

/// <summary>Ready only while the application's own listener is open, before which management opens and after which it closes.</summary>
internal sealed class IsServing(IHostApplicationLifetime lifetime) : IReadiness
{
    public string? NotReadyBecause =>
        lifetime.ApplicationStopping.IsCancellationRequested ? "The program is stopping."
        : lifetime.ApplicationStarted.IsCancellationRequested ? null
        : "The program is starting.";
}
