namespace PushNode.Tests.History.Model;

/// <summary>One thing that can happen in a state.</summary>
/// <param name="Actor">To whom it happens.</param>
/// <param name="What">What happens, without <paramref name="Detail"/>.</param>
/// <param name="Detail">With what.</param>
/// <param name="IsProtocol">Whether it happens by itself sooner or later. Other steps are what clients, publishers and faults do.</param>
/// <param name="Next">The state after it.</param>
internal readonly record struct Step(string Actor, string What, object? Detail, bool IsProtocol, State Next)
{
    public override string ToString() => Detail is null ? $"{Actor} {What}" : $"{Actor} {What} {Detail}";
}

/// <summary>Names of those who act, made once.</summary>
internal static class Actors
{
    public const string Redis = "redis";
    public const string Publisher = "publisher";

    private static readonly string[] Nodes = [.. Enumerable.Range(0, 4).Select(i => $"node {i}")];
    private static readonly string[] Members = [.. Enumerable.Range(0, 4).Select(i => $"member {i}")];

    public static string Node(int index) => Nodes[index];

    public static string Member(int index) => Members[index];
}
