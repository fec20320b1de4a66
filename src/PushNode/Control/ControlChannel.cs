using PushBackplane;
using PushHosting.Logging;
using PushNode.Telemetry;

namespace PushNode.Control;

/// <summary>
/// Hears the farm's control channel from the program's start on, and does what is asked of this node. Lives as long as the node; messages come on the backplane's subscriber thread, which
/// nothing here holds up: a command only changes what the drain wants.
/// </summary>
internal sealed class ControlChannel : IHostedService
{
    private readonly IBackplane _backplane;
    private readonly string _node;
    private readonly Drain _drain;
    private readonly NodeMetrics _metrics;
    private readonly ILogger<ControlChannel> _logger;
    private readonly Dictionary<ControlResult, LogPace> _refusals;

    /// <param name="backplane">Where the channel is.</param>
    /// <param name="node">What this node calls itself.</param>
    /// <param name="drain">What commands command.</param>
    /// <param name="metrics">Where messages count.</param>
    /// <param name="time">Where time comes from.</param>
    /// <param name="logger">Where refusals are told.</param>
    public ControlChannel(IBackplane backplane, string node, Drain drain, NodeMetrics metrics, TimeProvider time, ILogger<ControlChannel> logger)
    {
        (_backplane, _node, _drain, _metrics, _logger) = (backplane, node, drain, metrics, logger);
        _refusals = Enum.GetValues<ControlResult>().ToDictionary(result => result, _ => new LogPace(time));
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // A command that is lost in an outage is not made up for; whoever gave it sees that the node did not obey.
        _ = _backplane.SubscribeAsync(_backplane.Control, OnPayload, onLoss: () => { });
        _logger.ControlListening(_node, _backplane.Control.Name, _backplane.Description);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void OnPayload(ReadOnlyMemory<byte> payload)
    {
        var command = ControlCommand.Parse(payload, _node);
        _metrics.ControlMessage(command.Refusal?.Result ?? Apply(command.Verb));
        if (command.Refusal is var (result, why) && _refusals[result].MayLog())
            _logger.ControlRefused(_backplane.Control.Name, why);
    }

    private ControlResult Apply(ControlVerb verb) => verb switch
    {
        ControlVerb.Drain => _drain.Begin() ? ControlResult.Applied : ControlResult.Unchanged,
        ControlVerb.Undrain => _drain.Undrain() ? ControlResult.Applied : ControlResult.Unchanged,
        _ => ControlResult.OtherNode,
    };
}
