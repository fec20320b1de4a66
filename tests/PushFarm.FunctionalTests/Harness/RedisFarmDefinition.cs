namespace PushFarm.FunctionalTests.Harness;

/// <summary>The classes that share one <see cref="RedisFarmFixture"/>.</summary>
[CollectionDefinition(Name)]
public sealed class RedisFarmDefinition : ICollectionFixture<RedisFarmFixture>
{
    public const string Name = "one Redis, one API, two nodes";
}
