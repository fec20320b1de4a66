namespace RedisPush.Publisher.Http;

/// <summary>Reads the answer that a request wants.</summary>
/// <returns>Null if it is another one.</returns>
internal delegate T? AnswerReader<out T>(HttpResponseMessage answer, byte[] body) where T : class;

/// <summary>What one attempt came to.</summary>
internal sealed record Attempt<T> where T : class
{
    /// <summary>The wanted answer; null if there was none.</summary>
    public T? Result { get; private init; }

    /// <summary>What went wrong, for people.</summary>
    public string Message { get; private init; } = "";

    /// <summary>Whether another attempt may go better.</summary>
    public bool IsPassing { get; private init; }

    /// <summary>Whether the request may have been carried out all the same.</summary>
    public bool MayBeDone { get; private init; }

    public TimeSpan RetryAfter { get; private init; }

    public PublishProblem? Problem { get; private init; }

    public Exception? Exception { get; private init; }

    /// <param name="http">Sends it.</param>
    /// <param name="request">Is disposed here.</param>
    /// <param name="read">Reads the wanted answer.</param>
    /// <param name="severalRooms">Whether it publishes to several rooms.</param>
    /// <param name="time">For a Retry-After that is a date.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static async Task<Attempt<T>> SendAsync(
        HttpClient http, HttpRequestMessage request, AnswerReader<T> read, bool severalRooms, TimeProvider time, CancellationToken cancellationToken)
    {
        using (request)
        {
            try
            {
                using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
                var body = await AnswerBody.ReadAsync(answer.Content, cancellationToken).ConfigureAwait(false);
                return Read(answer, body, read, severalRooms, time);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
            {
                // Expected: the API is away or slow, or the caller cancelled.
                var late = e is OperationCanceledException;
                var message = late ? "The API did not answer in time." : $"The API could not be asked: {e.GetBaseException().Message}";
                return new Attempt<T> { Message = message, IsPassing = true, MayBeDone = !AttemptFailure.IsUnsent(e), Exception = e };
            }
        }
    }

    private static Attempt<T> Read(HttpResponseMessage answer, byte[] body, AnswerReader<T> read, bool severalRooms, TimeProvider time)
    {
        if (read(answer, body) is { } result)
            return new Attempt<T> { Result = result };
        var problem = AnswerBody.ReadProblem(body) with { Status = answer.StatusCode };
        return new Attempt<T>
        {
            Message = $"The API answered {(int)answer.StatusCode} {problem.Type} {problem.Detail}".TrimEnd(),
            Problem = problem,
            IsPassing = AttemptFailure.IsPassing(answer.StatusCode),
            MayBeDone = AttemptFailure.IsUnknown(answer.StatusCode, problem.Type, severalRooms),
            RetryAfter = AttemptFailure.RetryAfterOf(answer, time),
        };
    }
}
