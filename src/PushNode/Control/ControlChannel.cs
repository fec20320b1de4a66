using PushBackplane;
using PushHosting.Logging;
using PushNode.Telemetry;

namespace PushNode.Control;

/// <summary>
/// Subscribes to the farm's control channel when the program starts, and carries out the commands to this node. Lives as long as the node.
/// Messages arrive on the backplane's thread and do not block it: a command only changes the state of the drain, or what is known of a user.
/// </summary>
internal sealed class ControlChannel : IHostedService
{
    private readonly IBackplane _backplane;
    private readonly string _node;
    private readonly Drain _drain;
    private readonly UserControl _users;
    private readonly NodeMetrics _metrics;
    private readonly ILogger<ControlChannel> _logger;
    private readonly Dictionary<ControlResult, LogPace> _refusals;

    /// <param name="backplane">Carries the channel.</param>
    /// <param name="node">The name of this node.</param>
    /// <param name="drain">Carries out the commands to this node.</param>
    /// <param name="users">Carries out the commands about users.</param>
    /// <param name="metrics">Counts messages.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Logs ignored messages.</param>
    public ControlChannel(
        IBackplane backplane, string node, Drain drain, UserControl users, NodeMetrics metrics, TimeProvider time, ILogger<ControlChannel> logger)
    {
        (_backplane, _node, _drain, _users, _metrics, _logger) = (backplane, node, drain, users, metrics, logger);
        _refusals = Enum.GetValues<ControlResult>().ToDictionary(result => result, _ => new LogPace(time));
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // A command to this node that is lost in an outage is not repeated: the operator sees that the node did not obey.
        _ = ListenAsync();
        _logger.ControlListening(_node, _backplane.Control.Name, _backplane.Description);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task ListenAsync()
    {
        try
        {
            await _backplane.SubscribeAsync(_backplane.Control, OnPayload, onLoss: _ => _users.CatchUp());
        }
        catch (OperationCanceledException)
        {
            // Expected: the program ends before the channel was acknowledged.
            return;
        }

        // From here on nothing is lost unheard.
        _users.CatchUp();
    }

    private void OnPayload(ReadOnlyMemory<byte> payload)
    {
        var command = ControlCommand.Parse(payload, _node);
        _metrics.ControlMessage(command.Refusal?.Result ?? Apply(command));
        if (command.Refusal is var (result, why) && _refusals[result].MayLog())
            _logger.ControlRefused(_backplane.Control.Name, why);
    }

    private ControlResult Apply(ControlCommand command) => command.Verb switch
    {
        _ when command.User is { } user => _users.Apply(user),
        ControlVerb.Drain => _drain.Begin() ? ControlResult.Applied : ControlResult.Unchanged,
        ControlVerb.Undrain => _drain.Undrain() ? ControlResult.Applied : ControlResult.Unchanged,
        _ => ControlResult.OtherNode,
    };
}
