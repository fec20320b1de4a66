using System.Text.RegularExpressions;

namespace Deployment.Tests;

/// <summary>The pictures in docs/images, which bench/pictures makes, and the Markdown pages that show them.</summary>
public sealed partial class PictureTests
{
    // A clone of the repository has every version of every picture.
    private const int MostBytes = 200_000;

    private static IEnumerable<string> Files => Repository.Files("docs/images", "*").Select(path => Path.GetRelativePath(Repository.Root, path));

    [Theory, MemberData(nameof(LinkTests.Pages), MemberType = typeof(LinkTests))]
    public void Every_picture_of_a_page_exists(string page) => Assert.All(ShownBy(page), path => Assert.True(File.Exists(Repository.PathTo(path)), $"{path} does not exist"));

    [Theory, MemberData(nameof(LinkTests.Pages), MemberType = typeof(LinkTests))]
    public void Every_picture_has_a_text_for_those_who_do_not_see_it(string page) => Assert.DoesNotMatch(WithoutText(), Repository.Read(page));

    [Fact]
    public void Every_picture_is_shown_by_a_page() => Assert.Empty(Files.Except(LinkTests.Pages.SelectMany(row => ShownBy(row.Data))));

    [Fact]
    public void Every_picture_is_small() => Assert.All(Files, file => Assert.InRange(new FileInfo(Repository.PathTo(file)).Length, 1, MostBytes));

    /// <summary>The pictures' paths in the repository.</summary>
    private static IEnumerable<string> ShownBy(string page) => Picture().Matches(Repository.Read(page))
        .Select(match => Path.GetFullPath(match.Groups["path"].Value, Repository.PathTo(Path.GetDirectoryName(page)!)))
        .Select(path => Path.GetRelativePath(Repository.Root, path));

    // <source> names the dark variant of the <img> behind it.
    [GeneratedRegex("""!\[[^\]]*\]\((?<path>[^)\s]+)\)|<source\b[^>]*\bsrcset="(?<path>[^"]+)"|<img\b[^>]*\bsrc="(?<path>[^"]+)""")]
    private static partial Regex Picture();

    [GeneratedRegex("""!\[\]|<img\b(?![^>]*\balt="[^"])""")]
    private static partial Regex WithoutText();
}
