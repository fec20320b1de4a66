namespace PushNode.Tests.History.Model;

/// <summary>What is explored, and how many states it has.</summary>
/// <param name="Name">What it has more than the least.</param>
/// <param name="States">The number of states that can be reached: a change of the model changes it.</param>
/// <param name="Options">What it has.</param>
internal sealed record Configuration(string Name, int States, ModelOptions Options)
{
    public override string ToString() => Name;
}

/// <summary>The explorations, 4.3 million states together. Those with many states are left to tests/model.sh.</summary>
internal static class Configurations
{
    public static Configuration[] All { get; } =
    [
        new("trim, link", 75_942, new ModelOptions { Faults = new Faults { Joins = 2, Trims = 1, LostLinks = 1 } }),
        new("duplicate, link", 120_542, new ModelOptions { Envelopes = [1, 2, 1], Faults = new Faults { Joins = 2, Duplicates = 1, LostLinks = 1 } }),
        new("stall, link", 60_676, new ModelOptions { Envelopes = [1, 1, 2], Faults = new Faults { Joins = 2, Stalls = 1, LostLinks = 1 } }),
        new("data loss", 61_742, new ModelOptions { Faults = new Faults { Joins = 2, Losses = 1 } }),
        new("lossy failover", 44_597, new ModelOptions { Faults = new Faults { Joins = 2, LossyFailovers = 1 } }),
        new("two nodes", 188_206, new ModelOptions { Nodes = 2, Faults = new Faults { Joins = 2 } }),
        new("four messages, link, trim", 266_206, new ModelOptions { Envelopes = [1, 1, 1, 1], Faults = new Faults { Joins = 2, LostLinks = 1, Trims = 1 } }),
        new(
            "envelope of two, plain, link, duplicate",
            411_843,
            new ModelOptions { Envelopes = [1, 2, 1, 1], Plain = 2, Faults = new Faults { Joins = 2, LostLinks = 1, Duplicates = 1 } }),
        new("two members", 90_362, new ModelOptions { Members = 2, Faults = new Faults { Joins = 3 } }),
        new("lossy and clean failover", 412_269, new ModelOptions { Faults = new Faults { Joins = 2, LossyFailovers = 1, CleanFailovers = 1 } }),
        new("data loss, link", 243_939, new ModelOptions { Faults = new Faults { Joins = 2, Losses = 1, LostLinks = 1 } }),
        new("two members, ring of one", 413_493, new ModelOptions { Members = 2, Envelopes = [1, 1, 1, 1], RingSize = 1, Faults = new Faults { Joins = 3 } }),
        new("pages of one, link, trim", 151_017, new ModelOptions { PageSize = 1, Faults = new Faults { Joins = 2, LostLinks = 1, Trims = 1 } }),
        new("pages of one, lossy failover, link", 303_451, new ModelOptions { PageSize = 1, Faults = new Faults { Joins = 2, LossyFailovers = 1, LostLinks = 1 } }),
        new(
            "pages of one, ring of one, two trims",
            60_037,
            new ModelOptions { PageSize = 1, RingSize = 1, Envelopes = [1, 1, 1, 1], Faults = new Faults { Joins = 2, Trims = 2 } }),
        new("buffer of one, link", 43_554, new ModelOptions { BufferSize = 1, Faults = new Faults { Joins = 2, LostLinks = 1 } }),
        new(
            "buffer of one, pages of one, lossy failover",
            102_466,
            new ModelOptions { BufferSize = 1, PageSize = 1, Faults = new Faults { Joins = 2, LossyFailovers = 1 } }),
        new("two homes, a move and a restart", 52_665, new ModelOptions { Homes = 2, Envelopes = [1, 1, 1], Faults = new Faults { Joins = 2, Moves = 1, Restarts = 1 } }),
        new("two homes, there and back", 41_342, new ModelOptions { Homes = 2, Envelopes = [1, 1], Faults = new Faults { Joins = 2, Moves = 2, Restarts = 2 } }),
        // Small ones, in which a wrong variant is found soon.
        new("stall", 1_484, new ModelOptions { Envelopes = [1, 1, 2], Faults = new Faults { Joins = 1, Stalls = 1 } }),
        new("ring of one", 7_833, new ModelOptions { Envelopes = [1, 1, 1], RingSize = 1, Faults = new Faults { Joins = 3 } }),
        new("two nodes, one message", 9_285, new ModelOptions { Nodes = 2, Envelopes = [1], Faults = new Faults { Joins = 3 } }),
        new("two nodes, three joins", 1_161_788, new ModelOptions { Nodes = 2, Faults = new Faults { Joins = 3 } }),
    ];

    public static Configuration Of(string name) => Array.Find(All, one => one.Name == name)!;
}
