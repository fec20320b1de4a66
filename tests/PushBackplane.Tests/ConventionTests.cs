using System.Reflection;
using System.Runtime.CompilerServices;
using PushBackplane.Redis;

namespace PushBackplane.Tests;

public sealed class ConventionTests
{
    [Fact]
    public void No_method_that_needs_a_lock_held_runs_past_an_await()
    {
        const BindingFlags Any = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var locked = typeof(RedisBackplane).Assembly.GetTypes().SelectMany(type => type.GetMethods(Any)).Where(method => method.Name.EndsWith("Locked", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(locked);
        Assert.DoesNotContain(locked, method => method.IsDefined(typeof(AsyncStateMachineAttribute)));
    }
}
