namespace PushFarm.FunctionalTests.Harness;

/// <summary>The classes that use a default farm over epoll.</summary>
[CollectionDefinition(Name)]
public sealed class EpollFarmDefinition : ICollectionFixture<FarmFixture>
{
    public const string Name = "a farm over epoll";
}

/// <summary>The classes that use a default farm over Kestrel.</summary>
[CollectionDefinition(Name)]
public sealed class KestrelFarmDefinition : ICollectionFixture<FarmFixture>
{
    public const string Name = "a farm over Kestrel";
}

/// <summary>The classes that share one <see cref="RedisFarmFixture"/>.</summary>
[CollectionDefinition(Name)]
public sealed class RedisFarmDefinition : ICollectionFixture<RedisFarmFixture>, ICollectionFixture<FarmFixture>
{
    public const string Name = "one Redis, one API, two nodes";
}
