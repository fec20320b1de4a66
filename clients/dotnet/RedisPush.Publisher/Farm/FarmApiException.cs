namespace RedisPush.Publisher;

/// <summary>The farm did not answer a question, or did not carry out an order.</summary>
public sealed class FarmApiException : Exception
{
    internal FarmApiException(string message, bool mayBeDone, PublishProblem? problem, Exception? cause)
        : base(message, cause) => (MayBeDone, Problem) = (mayBeDone, problem);

    /// <summary>Whether an order may have been carried out nevertheless. Orders can be repeated.</summary>
    public bool MayBeDone { get; }

    /// <summary>What the API answered; null if it did not. 401 and 403 are as for <see cref="PublishException"/>.</summary>
    public PublishProblem? Problem { get; }
}
