using PushApi.Requests;
using PushBackplane.History;

namespace PushApi.History;

/// <summary>The parameters of a page of a room's messages. Immutable once made; belongs to one request.</summary>
internal sealed class PageQuery : QueryParameters
{
    public const string SinceName = "since";
    public const string LimitName = "limit";
    public const string ReverseName = "reverse";

    /// <summary>The number of messages without the parameter.</summary>
    public const int StandardLimit = 100;

    public PageQuery(IQueryCollection query)
        : base(query)
    {
        Since = ReadSince();
        Limit = Number(LimitName, StandardLimit, HistoryQuery.MaxLimit);
        IsReverse = ReadReverse();
    }

    /// <summary>The place where the page begins; null for the oldest message kept, or the newest.</summary>
    public Position? Since { get; }

    /// <summary>The largest number of messages.</summary>
    public int Limit { get; }

    /// <summary>Whether the messages before the place are asked for, newest first, in place of those after it.</summary>
    public bool IsReverse { get; }

    private Position? ReadSince()
    {
        if (Text(SinceName) is not { } text)
            return null;
        if (Position.TryParse(text, out var since))
            return since;
        Refuse(SinceName, $"is {Problems.Problem.Quote(text)}; it accepts a position as EPOCH.OFFSET, both from an answer or a PUSH.");
        return null;
    }

    private bool ReadReverse()
    {
        if (Text(ReverseName) is not { } text)
            return false;
        if (text is not ("true" or "false"))
            Refuse(ReverseName, $"is {Problems.Problem.Quote(text)}; it accepts true and false.");
        return text == "true";
    }
}
