using System.Text.RegularExpressions;

namespace PushNode.Tests.Architecture;

/// <summary>Which folders and projects may use which, read from assemblies (type references) and sources (using lines).</summary>
public sealed partial class DirectionTests
{
    /// <summary>What each folder of the node uses, in an order in which none uses a later one.</summary>
    private static readonly Dictionary<string, string[]> Node = new()
    {
        ["WebSocket"] = [],
        ["Http"] = [],
        ["MessagePack"] = [],
        ["Messages"] = ["WebSocket", "Http", "MessagePack"],
        ["Telemetry"] = ["Messages"],
        ["Settings"] = ["Messages"],
        ["Access"] = ["Messages", "Telemetry", "Settings"],
        ["Connections"] = ["WebSocket", "Messages", "Telemetry", "Settings"],
        ["FanOut"] = ["Messages", "Telemetry", "Settings", "Connections"],
        ["History"] = ["Messages", "Telemetry", "Settings"],
        ["Merging"] = ["Messages", "Telemetry", "Settings", "FanOut", "History"],
        ["Subscription"] = ["Messages", "Telemetry", "Settings", "FanOut", "History", "Merging"],
        ["Counts"] = ["Messages", "Telemetry", "Settings", "FanOut", "Subscription"],
        ["Users"] = ["Telemetry"],
        ["Sending"] = ["Access", "Messages", "Telemetry", "Settings", "Connections", "Subscription", "Users"],
        ["Paging"] = ["MessagePack", "Messages", "Telemetry", "Settings", "Connections", "History", "Subscription"],
        ["Hooks"] = ["Telemetry", "Settings", "Counts", "Sending"],
        ["Protocol"] = ["Access", "Messages", "Telemetry", "Settings", "Connections", "FanOut", "History", "Subscription", "Users", "Sending", "Paging"],
        ["Status"] = ["Messages", "FanOut", "Subscription", "History"],
        ["Transport/Linux"] = [],
        ["Transport/Kestrel"] = ["Settings", "Connections", "Transport/Linux"],
        ["Transport/Epoll"] = ["Telemetry", "Settings", "Connections", "Transport/Linux"],
        ["Transport/IoUring"] = ["Telemetry", "Settings", "Connections", "Transport/Linux"],
        ["Control"] = ["Access", "Messages", "Telemetry", "Settings", "Connections", "FanOut", "Merging", "Protocol", "Users"],
        ["LiveRoom"] = ["Access", "Settings", "Control"],
        ["Upkeep"] = ["Telemetry", "Connections", "FanOut", "Subscription", "Transport/Linux", "Users", "Sending", "Control"],
        ["Endpoints"] = ["WebSocket", "Http", "Access", "Messages", "Telemetry", "Settings", "Connections", "FanOut", "Protocol", "Transport/Kestrel", "Transport/Epoll", "Control"],
    };

    public static TheoryData<string> All => ["PushHosting", "PushBackplane", "PushApi", "PushNode", "PushLoad", "PushFarm"];

    [Fact]
    public void Each_folder_of_the_node_uses_what_is_listed_here()
    {
        var listed = Edges(Node);
        var used = Edges(Read("PushNode"));
        Assert.Empty(used.Except(listed));
        Assert.Empty(listed.Except(used));

        static List<string> Edges<T>(Dictionary<string, T> graph) where T : IEnumerable<string> =>
            [.. graph.SelectMany(folder => folder.Value.Select(used => $"{folder.Key} uses {used}").Append($"{folder.Key} exists"))];
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Folders_of_a_project_form_no_cycle(string project) => Assert.Null(FolderGraph.FindCycle(Read(project)));

    [Fact]
    public void A_cycle_is_found() =>
        Assert.Equal("b -> c -> b", FolderGraph.FindCycle(new() { ["a"] = ["b"], ["b"] = ["c"], ["c"] = ["b"] }));

    [Theory]
    [MemberData(nameof(All))]
    public void Namespaces_follow_folders(string project) => Assert.Empty(
        from source in Projects.Sources(project)
        from line in File.ReadLines(source.File)
        where line.StartsWith("namespace ", StringComparison.Ordinal)
            && line != $"namespace {string.Join('.', (string[])[project, .. source.Path.Split('/')[..^1]])};"
        select $"{source.Path}: {line}");

    /// <summary>Only pairs that could be written: the others would be a cycle of project references.</summary>
    [Theory]
    [InlineData("PushApi", "PushNode")]
    [InlineData("PushNode", "PushApi")]
    [InlineData("PushLoad", "PushNode")]
    [InlineData("PushLoad", "PushBackplane")]
    [InlineData("PushLoad", "PushHosting")]
    public void A_project_does_not_use_another(string project, string other)
    {
        Assert.DoesNotContain(Projects.Load(project).GetReferencedAssemblies(), reference => reference.Name == other);
        // The compiler leaves out a reference that is not used yet.
        Assert.DoesNotContain($"/{other}.csproj", File.ReadAllText(Projects.File(project, $"{project}.csproj")), StringComparison.Ordinal);
    }

    /// <summary>A folder's type references, and its using lines, which also show constants and names in comments.</summary>
    private static Dictionary<string, HashSet<string>> Read(string project)
    {
        var graph = FolderGraph.Read(Projects.Load(project));
        foreach (var (file, path) in Projects.Sources(project))
        {
            if (!path.Contains('/', StringComparison.Ordinal))
                continue;
            var folder = path[..path.LastIndexOf('/')];
            graph.TryAdd(folder, []);
            graph[folder].UnionWith(
                from line in File.ReadLines(file)
                let match = Using().Match(line)
                where match.Success && match.Groups[1].Value == project
                select match.Groups[2].Value.Replace('.', '/'));
        }

        return graph;
    }

    [GeneratedRegex(@"^using (\w+)\.([\w.]+);")]
    private static partial Regex Using();
}
