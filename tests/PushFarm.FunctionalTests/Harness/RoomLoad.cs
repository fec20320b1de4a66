using System.Collections.Concurrent;
using System.Net;
using TestSupport.Clients;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>Publishes <c>{"n":0}</c>, <c>{"n":1}</c>... to one room, one after the other, until it is stopped. One loop; anyone may read.</summary>
internal sealed class RoomLoad
{
    private readonly ConcurrentDictionary<int, bool> _accepted = new();
    private readonly ConcurrentBag<HttpAnswer> _refused = [];
    private readonly Task _running;
    private volatile bool _stopped;

    /// <summary>Starts publishing.</summary>
    /// <param name="room">Where to.</param>
    /// <param name="port">Of the API, asked before each message.</param>
    public RoomLoad(string room, Func<int> port) => _running = RunAsync(room, port);

    /// <summary>The numbers that were confirmed.</summary>
    public IReadOnlySet<int> Accepted => _accepted.Keys.ToHashSet();

    /// <summary>Every other answer.</summary>
    public IReadOnlyCollection<HttpAnswer> Refused => _refused;

    public bool HasAccepted(Func<int, bool> condition) => _accepted.Keys.Any(condition);

    /// <summary>A number published by somebody else counts as accepted, too.</summary>
    public void Add(int accepted) => _accepted[accepted] = true;

    public Task StopAsync()
    {
        _stopped = true;
        return _running;
    }

    private async Task RunAsync(string room, Func<int> port)
    {
        for (var n = 0; !_stopped; n++)
        {
            try
            {
                var answer = await Http.PostAsync(port(), $"/v1/rooms/{room}/messages", Http.Json, $$"""{"n":{{n}}}""");
                if (answer.Status == HttpStatusCode.Accepted)
                    _accepted[n] = true;
                else
                    _refused.Add(answer);
            }
            catch (HttpRequestException)
            {
                // Expected where an API is restarted: not confirmed.
            }

            await Task.Delay(5, CancellationToken.None);
        }
    }
}
