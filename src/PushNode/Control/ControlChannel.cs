using PushBackplane;
using PushHosting.Logging;
using PushNode.Telemetry;

namespace PushNode.Control;

/// <summary>
/// Subscribes to the farm's control channel when the program starts, and carries out the commands to this node. Lives as long as the node.
/// Messages arrive on the backplane's thread and do not block it: a command only changes the state of the drain.
/// </summary>
internal sealed class ControlChannel : IHostedService
{
    private readonly IBackplane _backplane;
    private readonly string _node;
    private readonly Drain _drain;
    private readonly NodeMetrics _metrics;
    private readonly ILogger<ControlChannel> _logger;
    private readonly Dictionary<ControlResult, LogPace> _refusals;

    /// <param name="backplane">Carries the channel.</param>
    /// <param name="node">The name of this node.</param>
    /// <param name="drain">Carries out the commands.</param>
    /// <param name="metrics">Counts messages.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Logs ignored messages.</param>
    public ControlChannel(
        IBackplane backplane, string node, Drain drain, NodeMetrics metrics, TimeProvider time, ILogger<ControlChannel> logger)
    {
        (_backplane, _node, _drain, _metrics, _logger) = (backplane, node, drain, metrics, logger);
        _refusals = Enum.GetValues<ControlResult>().ToDictionary(result => result, _ => new LogPace(time));
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // A command lost in an outage is not repeated: the operator sees that the node did not obey.
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
