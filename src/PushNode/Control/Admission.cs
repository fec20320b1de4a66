using PushHosting.Management;
using PushHosting.Settings;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Control;

/// <summary>
/// Decides which clients may connect: up to the limit, and none while the node drains. Lives as long as the node; any thread.
/// </summary>
internal sealed class Admission : IReadiness
{
    private readonly ConnectionSettings _settings;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly AllowList _origins;
    private int _connections;
    private volatile bool _draining;

    public Admission(ConnectionSettings settings, IHostApplicationLifetime lifetime, NodeMetrics metrics)
    {
        (_settings, _lifetime) = (settings, lifetime);
        _origins = new AllowList(settings.AllowedOrigins);
        metrics.ShowDraining(() => IsDraining);
    }

    public string? NotReadyBecause => IsDraining ? "The node is draining." : null;

    /// <summary>Clients that were admitted and have not left.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Whether pages of every origin may connect.</summary>
    public bool AllowsEveryOrigin => _origins.IsEvery;

    /// <summary>True once the program has been told to stop; readiness sees this before the hosted services do.</summary>
    private bool IsDraining => _draining || _lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Refuses clients from now on.</summary>
    public void Drain() => _draining = true;

    /// <summary>Undoes <see cref="Drain"/>.</summary>
    public void Undrain() => _draining = false;

    /// <summary>Takes a place, which <see cref="Leave"/> gives back. Returns the reason if there is none to take.</summary>
    public Refusal? TryEnter()
    {
        if (IsDraining)
            return Refusal.Draining;
        if (Interlocked.Increment(ref _connections) <= _settings.Max)
            return null;
        Leave();
        return Refusal.Full;
    }

    /// <summary>The sentence for a refusal of <see cref="TryEnter"/>.</summary>
    public string Explain(Refusal refusal) => refusal == Refusal.Draining
        ? "The node is draining; try another one."
        : $"The node has {_settings.Max} connections, which is its limit; try another one.";

    public void Leave() => Interlocked.Decrement(ref _connections);

    /// <summary>Whether pages of this origin may connect. Clients other than browsers may send no origin, or any origin.</summary>
    public bool Allows(string origin) => origin.Length == 0 || _origins.Contains(origin);
}
