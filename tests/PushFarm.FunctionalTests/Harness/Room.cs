namespace PushFarm.FunctionalTests.Harness;

/// <summary>Names of rooms.</summary>
internal static class Room
{
    /// <summary>A room that no other test uses: processes are shared.</summary>
    public static string New(string prefix = "room") => $"{prefix}-{Guid.NewGuid():N}";

    public static string Channel(string room) => $"push:room:{room}";
}
