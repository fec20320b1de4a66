using System.Text.RegularExpressions;

namespace Deployment.Tests.Harness;

/// <summary>One step of docs/tutorial.md.</summary>
/// <param name="Kind">The language of a block of code (<c>sh</c>, <c>text</c> for what the block before prints), or <c>test</c>.</param>
/// <param name="Text">The block, or what the test does at this point.</param>
internal sealed record TutorialStep(string Kind, string Text);

/// <summary>What docs/tutorial.md contains besides prose, in its order.</summary>
internal static partial class TutorialPage
{
    public static IEnumerable<TutorialStep> Steps() =>
        Step().Matches(Repository.Read("docs/tutorial.md")).Select(match => match.Groups["test"] is { Success: true, Value: var test }
            ? new TutorialStep("test", test)
            : new TutorialStep(match.Groups["language"].Value, match.Groups["code"].Value));

    /// <summary>Whether lines were printed as shown: <c>...</c> in a line stands for anything in it, and alone for any number of lines.</summary>
    public static bool IsAsShown(string shown, IEnumerable<string> printed)
    {
        var lines = shown.TrimEnd('\n').Split('\n').Select(line => line == "..." ? "(.*\n)*?" : Regex.Escape(line).Replace(@"\.\.\.", ".*", StringComparison.Ordinal) + "\n");
        return Regex.IsMatch(string.Concat(printed.Select(line => line + "\n")), $"^{string.Concat(lines)}$");
    }

    [GeneratedRegex(@"(?ms)^<!-- test: (?<test>[^\n]*) -->$|^```(?<language>\w+)\n(?<code>.*?)^```$")]
    private static partial Regex Step();
}
