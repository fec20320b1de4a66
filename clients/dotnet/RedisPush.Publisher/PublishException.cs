using System.Net;

namespace RedisPush.Publisher;

/// <summary>Messages were not confirmed as published.</summary>
public sealed class PublishException : Exception
{
    internal PublishException(string message, bool mayBePublished, PublishProblem? problem = null, Exception? cause = null)
        : base(message, cause) => (MayBePublished, Problem) = (mayBePublished, problem);

    /// <summary>
    /// Whether the messages may have been published nevertheless: nobody answered, Redis did not confirm in time, or the key was refused
    /// for one of several rooms. Otherwise none was.
    /// </summary>
    public bool MayBePublished { get; }

    /// <summary>
    /// What the API answered; null if it did not. 401 means that <see cref="HttpPublisherOptions.ApiKey"/> is missing or unknown, 403 that it does not
    /// allow this.
    /// </summary>
    public PublishProblem? Problem { get; }
}

/// <summary>The API's problem details (docs/http-api.md); members that it did not send are null.</summary>
public sealed record PublishProblem
{
    /// <summary>The answer's status.</summary>
    public HttpStatusCode Status { get; init; }

    /// <summary>What programs tell problems by: <c>/problems/message-too-large</c>, for example.</summary>
    public string? Type { get; init; }

    /// <summary>The problem in a few words.</summary>
    public string? Title { get; init; }

    /// <summary>What was wrong and what is accepted, for people.</summary>
    public string? Detail { get; init; }

    /// <summary>The property, form field or header.</summary>
    public string? Field { get; init; }

    /// <summary>The element of that field, counted from 0.</summary>
    public int? Item { get; init; }

    /// <summary>The line of the body, counted from 1.</summary>
    public int? Line { get; init; }

    /// <summary>The limit that was exceeded.</summary>
    public long? Limit { get; init; }
}
