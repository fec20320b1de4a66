namespace PushNode.LiveRoom;

/// <summary>What a program that has a publish API too tells the live room. The host registers it as a singleton.</summary>
/// <param name="ApiUrl">The publish API as a browser on this machine reaches it, "http://localhost:7799" for example.</param>
/// <param name="Pages">
/// The page's origins that may publish there, "http://localhost:7777" for example. Opened at another one, the page only watches.
/// </param>
public sealed record LiveRoomFarm(string ApiUrl, IReadOnlyList<string> Pages);
