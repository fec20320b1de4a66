using System.Text.Json.Serialization;
using PushBackplane;
using PushBackplane.Publishing;

namespace PushApi.Endpoints;

/// <summary>The body of a 202.</summary>
/// <param name="Accepted">Messages times rooms.</param>
/// <param name="Nodes">
/// The number of subscribers that the backplane reached (nodes, not viewers). For several rooms, the smallest number.
/// </param>
internal sealed record PublishAnswer(int Accepted, int Nodes)
{
    /// <summary>For one room with history: the epoch of its numbering.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Epoch { get; private init; }

    /// <summary>For one room with history: the number of the last message.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Offset { get; private init; }

    /// <summary>For several rooms: where the last message is in each that has history, in the order of the request; absent if none has.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<RoomPosition>? Positions { get; private init; }

    /// <summary>How many of <see cref="Accepted"/> were published now; the rest was published before with the same key.</summary>
    [JsonIgnore]
    public int Published { get; private init; }

    /// <param name="messages">The messages of the request.</param>
    /// <param name="nodes">The number of subscribers reached.</param>
    /// <param name="topics">Where they were published.</param>
    /// <param name="outcomes">What happened there.</param>
    public static PublishAnswer Of(int messages, int nodes, Topic[] topics, PublishOutcome[] outcomes)
    {
        var answer = new PublishAnswer(messages * topics.Length, nodes)
        {
            Published = messages * outcomes.Count(outcome => outcome.Result == PublishResult.Published),
        };
        if (outcomes is [var one])
            return answer with { Epoch = one.Last?.Epoch, Offset = one.Last?.Offset };
        var positions = topics.Zip(outcomes)
            .Where(pair => pair.Second.Last is not null)
            .Select(pair => new RoomPosition(pair.First.RoomId!.Value.ToString(), pair.Second.Last!.Value.Epoch, pair.Second.Last.Value.Offset))
            .ToArray();
        return positions.Length == 0 ? answer : answer with { Positions = positions };
    }
}

/// <summary>Where a request's last message is in one of its rooms.</summary>
/// <param name="Room">The room.</param>
/// <param name="Epoch">The epoch of its numbering.</param>
/// <param name="Offset">The message's number.</param>
internal sealed record RoomPosition(string Room, string Epoch, long Offset);
