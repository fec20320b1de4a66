using PushBackplane.Redis;

namespace PushBackplane.Tests.Redis;

/// <summary>A connection string on the node's page: every form that is accepted, without its secrets.</summary>
public sealed class ShownRedisTests
{
    [Theory]
    [InlineData("localhost:6379", "localhost:6379")]
    [InlineData("localhost", "localhost")]
    [InlineData("a:6379, b:6380 ,connectTimeout=500", "a:6379,b:6380,connectTimeout=500")]
    [InlineData("redis:6379,password=hunter2", "redis:6379,password=***")]
    [InlineData("redis:6379, Password = hunter2 ,ssl=true", "redis:6379,Password=***,ssl=true")]
    [InlineData("redis:6379,password=hunter2=hunter2", "redis:6379,password=***")]
    [InlineData("password=hunter2,redis:6379", "password=***,redis:6379")]
    [InlineData("redis:6379,user=app,password=hunter2", "redis:6379,user=app,password=***")]
    [InlineData("redis:6379,password=a@hunter2", "redis:6379,password=***")]
    [InlineData("redis:6379,name=node-1,$CONFIG=hunter2", "redis:6379,name=node-1,$CONFIG=***")]
    [InlineData("[::1]:6379,password=hunter2", "[::1]:6379,password=***")]
    [InlineData("unix:/run/redis.sock,password=hunter2", "unix:/run/redis.sock,password=***")]
    [InlineData("unix:///run/redis.sock", "unix:///run/redis.sock")]
    [InlineData("redis://redis", "redis://redis:6379")]
    [InlineData("redis://redis:6380/1", "redis://redis:6380")]
    [InlineData("redis://:hunter2@redis:6380", "redis://:***@redis:6380")]
    [InlineData("redis://app:hunter2@redis", "redis://app:***@redis:6379")]
    [InlineData("rediss://app:hunter2%40%2F@redis:6380/0", "rediss://app:***@redis:6380")]
    [InlineData(" REDISS://default:hunter2@[::1]:6380", "rediss://default:***@[::1]:6380")]
    public void A_connection_string_is_shown_without_its_secrets(string text, string shown)
    {
        RedisOptions.Parse("ConnectionStrings:Redis", text);
        Assert.Equal(shown, new ShownRedisAttribute().Show(text));
    }
}
