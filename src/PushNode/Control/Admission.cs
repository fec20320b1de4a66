using PushHosting.Management;
using PushHosting.Settings;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Control;

/// <summary>Decides who may connect: not more than the cap, nobody while the node drains. Any thread.</summary>
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

    /// <summary>Connections that are let in and not gone.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>From the signal to stop on, which readiness sees before anybody is called.</summary>
    private bool IsDraining => _draining || _lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Lets nobody in from now on.</summary>
    public void Drain() => _draining = true;

    /// <summary>Undoes <see cref="Drain"/>.</summary>
    public void Undrain() => _draining = false;

    /// <summary>Takes a place, or says why not. Each place is given back by <see cref="Leave"/>.</summary>
    public Refusal? TryEnter()
    {
        if (IsDraining)
            return Refusal.Draining;
        if (Interlocked.Increment(ref _connections) <= _settings.Max)
            return null;
        Leave();
        return Refusal.Full;
    }

    /// <summary>A refusal of <see cref="TryEnter"/> as a sentence.</summary>
    public string Explain(Refusal refusal) => refusal == Refusal.Draining
        ? "The node is draining; try another one."
        : $"The node has {_settings.Max} connections, which is its limit; try another one.";

    public void Leave() => Interlocked.Decrement(ref _connections);

    /// <summary>Whether pages of this origin may connect. What is no browser sends none and cannot be told from its origin anyway.</summary>
    public bool Allows(string origin) => origin.Length == 0 || _origins.Contains(origin);
}
