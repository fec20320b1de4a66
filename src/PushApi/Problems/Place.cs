using System.Text.Json;

namespace PushApi.Problems;

/// <summary>Where in a request something is wrong.</summary>
internal readonly record struct Place
{
    /// <summary>The property, form field or header.</summary>
    public string? Field { get; private init; }

    /// <summary>The line of the body, counted from 1.</summary>
    public int? Line { get; private init; }

    /// <summary>The element of <see cref="Field"/>, counted from 0.</summary>
    public int? Item { get; private init; }

    /// <summary>The whole body.</summary>
    public static Place Body => default;

    /// <summary>A line of the body.</summary>
    public static Place AtLine(int line) => new() { Line = line };

    /// <summary>A property, form field or header; null for the whole body.</summary>
    public static Place AtField(string? field) => new() { Field = field };

    /// <summary>An element of a property or form field.</summary>
    public static Place AtItem(string field, int item) => new() { Field = field, Item = item };

    /// <summary>Where JSON is broken, as the end of a sentence. Lines and bytes count from 1.</summary>
    public static string In(JsonException e) => e.LineNumber is > 0 and var line
        ? $": see its line {line + 1}, byte {e.BytePositionInLine + 1}"
        : $": see its byte {e.BytePositionInLine + 1}";

    /// <summary>The place as the subject of a sentence.</summary>
    public override string ToString() => this switch
    {
        { Line: { } line } => $"Line {line}",
        { Field: { } field, Item: { } item } => $"{field}[{item}]",
        { Field: { } field } => field,
        _ => "The body",
    };
}
