namespace PushApi.Tests.Hosting;

/// <summary>A PUBLISH in flight: the test says how it ends.</summary>
public sealed class HeldPublish(Published published)
{
    private readonly TaskCompletionSource<int?> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Published Published => published;

    public string[] Texts => published.Texts;

    public Task<int?> Answer => _answer.Task;

    public void Confirm(int nodes = 1) => _answer.SetResult(nodes);

    public void TimeOut() => _answer.SetResult(null);

    public void Throw(Exception exception) => _answer.SetException(exception);
}
