using System.Reflection;
using RedisPush.Publisher;

namespace RedisPush.Client.Tests;

/// <summary>What an application gets with the libraries.</summary>
public sealed class DependencyTests
{
    private static readonly string[] Allowed =
        ["Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Extensions.Logging.Abstractions", "Microsoft.Extensions.Options"];

    [Theory]
    [InlineData(typeof(RedisPushClient))]
    [InlineData(typeof(HttpPublisher))]
    public void A_library_brings_only_abstractions(Type library) => Assert.Empty(
        library.Assembly.GetReferencedAssemblies().Select(reference => reference.Name!)
            .Where(name => !name.StartsWith("System.", StringComparison.Ordinal)).Except(Allowed));

    /// <summary>The build's analysers for trimming and native AOT set this.</summary>
    [Theory]
    [InlineData(typeof(RedisPushClient))]
    [InlineData(typeof(HttpPublisher))]
    public void A_library_may_be_trimmed(Type library) => Assert.Contains(
        library.Assembly.GetCustomAttributes<AssemblyMetadataAttribute>(), attribute => attribute is { Key: "IsTrimmable", Value: "True" });
}
