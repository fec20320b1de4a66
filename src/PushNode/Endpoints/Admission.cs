using PushHosting;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Endpoints;

/// <summary>Decides who may connect: not more than the cap, nobody while the node drains. Any thread.</summary>
internal sealed class Admission(ConnectionSettings settings, IHostApplicationLifetime lifetime) : IReadiness
{
    private readonly string[] _origins = settings.AllowedOrigins.Split(';', StringSplitOptions.TrimEntries);
    private int _connections;
    private volatile bool _draining;

    public string? NotReadyBecause => IsDraining ? "The node is draining." : null;

    /// <summary>Connections that are let in and not gone.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>From the signal to stop on, which readiness sees before anybody is called.</summary>
    private bool IsDraining => _draining || lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Lets nobody in from now on.</summary>
    public void Drain() => _draining = true;

    /// <summary>Takes a place, or says why not. Each place is given back by <see cref="Leave"/>.</summary>
    public Refusal? TryEnter()
    {
        if (IsDraining)
            return Refusal.Draining;
        if (Interlocked.Increment(ref _connections) <= settings.Max)
            return null;
        Leave();
        return Refusal.Full;
    }

    /// <summary>A refusal of <see cref="TryEnter"/> as a sentence.</summary>
    public string Explain(Refusal refusal) => refusal == Refusal.Draining
        ? "The node is draining; try another one."
        : $"The node has {settings.Max} connections, which is its limit; try another one.";

    public void Leave() => Interlocked.Decrement(ref _connections);

    /// <summary>Whether pages of this origin may connect. What is no browser sends none and cannot be told from its origin anyway.</summary>
    public bool Allows(string origin) =>
        origin.Length == 0 || _origins.Contains("*") || _origins.Contains(origin, StringComparer.OrdinalIgnoreCase);
}
