using System.Reflection;
using Microsoft.Extensions.Logging;

namespace PushNode.Tests.Architecture;

public sealed class LogEventTests
{
    [Fact]
    public void Log_events_are_in_the_thousand_of_their_project_and_unique()
    {
        var ids = new (string Project, int Thousand)[] { ("PushHosting", 1), ("PushBackplane", 2), ("PushApi", 3), ("PushNode", 4), ("PushFarm", 5), ("PushLoad", 6) }
            .SelectMany(entry => Ids(entry.Project).Select(id => (entry.Thousand, Id: id))).ToList();
        Assert.NotEmpty(ids);
        Assert.All(ids, entry => Assert.Equal(entry.Thousand, entry.Id / 1000));
        Assert.Equal(ids.Distinct(), ids);
    }

    private static IEnumerable<int> Ids(string project) =>
        from type in Projects.Load(project).GetTypes()
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance)
        let message = method.GetCustomAttribute<LoggerMessageAttribute>()
        where message is not null
        select message.EventId;
}
