using RedisPush.Testing;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>Tests of what a client sees, which is the same over each transport: a class of them has one subclass for each.</summary>
public abstract class TransportTests(NodeTransport transport)
{
    internal (string Key, string Value) TransportSetting { get; } = Setting(transport);

    internal static (string Key, string Value) Setting(NodeTransport transport) => ("Push:Transport", $"{transport}");

    internal Task<ProgramProcess> StartFarmAsync(params (string Key, string Value)[] settings) => ProgramProcess.StartFarmAsync([TransportSetting, .. settings]);

    internal Task<ProgramProcess> StartNodeAsync(RedisServer redis, params (string Key, string Value)[] settings) => ProgramProcess.StartNodeAsync(redis, [TransportSetting, .. settings]);
}
