namespace PushApi.Counts;

/// <summary>
/// Answers that are costly for the backplane, each kept for a second and asked for once by however many requests come meanwhile. Lives as long as
/// the API; any thread. Holds at most <see cref="MaxKept"/> answers; beyond that, requests for others ask the backplane themselves.
/// </summary>
internal sealed class RecentAnswers(TimeProvider time)
{
    /// <summary>At most 30 KB each.</summary>
    internal const int MaxKept = 500;

    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<object, (long At, Task Answer)> _answers = [];

    /// <summary>The answer to a question: one that is at most a second old, or a new one.</summary>
    /// <param name="question">Says what is asked; equal questions get equal answers.</param>
    /// <param name="ask">Asks.</param>
    public Task<T> GetAsync<T>(object question, Func<Task<T>> ask)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            if (_answers.TryGetValue(question, out var recent) && IsRecent(recent, now))
                return (Task<T>)recent.Answer;
            if (_answers.Count >= MaxKept && !_answers.ContainsKey(question))
                ForgetLocked(now);
            // Started under the lock, so that nobody else asks the same; it waits for the backplane, not for this lock.
            var answer = ask();
            if (_answers.Count < MaxKept || _answers.ContainsKey(question))
                _answers[question] = (now, answer);
            return answer;
        }
    }

    private bool IsRecent((long At, Task Answer) recent, long now) =>
        !recent.Answer.IsCompleted || (recent.Answer.IsCompletedSuccessfully && time.GetElapsedTime(recent.At, now) < Kept);

    private void ForgetLocked(long now)
    {
        foreach (var (question, recent) in _answers)
        {
            if (!IsRecent(recent, now))
                _answers.Remove(question);
        }
    }
}
