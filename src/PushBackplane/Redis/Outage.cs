using Microsoft.Extensions.Logging;

namespace PushBackplane.Redis;

/// <summary>Logs the way down and the way up, each cause once per outage and not at every attempt. One thread.</summary>
internal sealed class Outage(ILogger logger, string description)
{
    private readonly HashSet<string> _causes = [];

    public void Continues(string cause)
    {
        if (_causes.Add(cause))
            Log.Away(logger, description, cause);
    }

    public void Over(int channels)
    {
        _causes.Clear();
        Log.Up(logger, description, channels);
    }
}
