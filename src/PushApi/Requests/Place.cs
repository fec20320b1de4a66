namespace PushApi.Requests;

/// <summary>Where in a request a message or room stands, for whoever has to find it.</summary>
internal readonly record struct Place
{
    /// <summary>The property or form field.</summary>
    public string? Field { get; private init; }

    /// <summary>The line of the body, counted from 1.</summary>
    public int? Line { get; private init; }

    /// <summary>The element of <see cref="Field"/>, counted from 0.</summary>
    public int? Item { get; private init; }

    /// <summary>The whole body.</summary>
    public static Place Body => default;

    /// <summary>A line of the body.</summary>
    public static Place AtLine(int line) => new() { Line = line };

    /// <summary>A property or form field.</summary>
    public static Place AtField(string field) => new() { Field = field };

    /// <summary>An element of a property or form field.</summary>
    public static Place AtItem(string field, int item) => new() { Field = field, Item = item };

    /// <summary>The place as the subject of a sentence.</summary>
    public override string ToString() => this switch
    {
        { Line: { } line } => $"Line {line}",
        { Field: { } field, Item: { } item } => $"{field}[{item}]",
        { Field: { } field } => field,
        _ => "The body",
    };
}
