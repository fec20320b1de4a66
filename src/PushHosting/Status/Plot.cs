namespace PushHosting.Status;

/// <summary>A small plot of the node's page: a few lines over the last minutes, in one unit.</summary>
/// <param name="Section">Where on the page it is.</param>
/// <param name="Title">Its title, which no other plot of the program has.</param>
/// <param name="Unit">The unit of all its lines.</param>
/// <param name="Meaning">One sentence that explains it, with the names of its metrics on <c>/metrics</c>.</param>
/// <param name="Lines">Its lines.</param>
public sealed record Plot(PlotSection Section, string Title, PlotUnit Unit, string Meaning, params PlotLine[] Lines);

/// <summary>The parts of the page that have plots, in the page's order. A part without plots does not appear.</summary>
public enum PlotSection
{
    /// <summary>Readiness, which the page shows at its top.</summary>
    Health,

    /// <summary>The clients of a push node.</summary>
    Clients,

    /// <summary>What a push node does with messages.</summary>
    Pushing,

    /// <summary>What the publish API accepts and refuses.</summary>
    Publishing,

    /// <summary>Redis.</summary>
    Backplane,

    /// <summary>The process.</summary>
    Process,
}

/// <summary>How the values of a plot are written.</summary>
public enum PlotUnit
{
    /// <summary>A number.</summary>
    Count,

    /// <summary>A number per second.</summary>
    PerSecond,

    /// <summary>Bytes.</summary>
    Bytes,

    /// <summary>Bytes per second.</summary>
    BytesPerSecond,

    /// <summary>A duration.</summary>
    Seconds,
}

/// <summary>
/// A line of a <see cref="Plot"/>: how its value follows from two samples of an instrument. An instrument with a label gives the sum of its
/// series, or with <see cref="By"/> one line for each value of the label.
/// </summary>
public sealed record PlotLine
{
    private PlotLine(PlotLineKind kind, string name, string instrument) => (Kind, Name, Instrument) = (kind, name, instrument);

    internal PlotLineKind Kind { get; }

    internal string Name { get; }

    internal string Instrument { get; }

    /// <summary>The counter by whose growth another is divided.</summary>
    internal string? Per { get; private init; }

    internal double Quantile { get; private init; }

    /// <summary>The label whose values each have a line of their own; null for one line.</summary>
    internal string? Label { get; private init; }

    /// <summary>A gauge as it is.</summary>
    /// <param name="name">The line's name.</param>
    /// <param name="instrument">"push.connections" for example.</param>
    public static PlotLine Value(string name, string instrument) => new(PlotLineKind.Value, name, instrument);

    /// <summary>The growth of a counter per second.</summary>
    /// <param name="name">The line's name.</param>
    /// <param name="instrument">"push.frames_sent" for example.</param>
    public static PlotLine Rate(string name, string instrument) => new(PlotLineKind.Rate, name, instrument);

    /// <summary>The growth of a counter divided by the growth of another.</summary>
    /// <param name="name">The line's name.</param>
    /// <param name="instrument">The counter above the line.</param>
    /// <param name="per">The counter below.</param>
    public static PlotLine Ratio(string name, string instrument, string per) => new(PlotLineKind.Ratio, name, instrument) { Per = per };

    /// <summary>A quantile of what a histogram measured between two samples.</summary>
    /// <param name="quantile">0.99 for example, which is the line p99.</param>
    /// <param name="instrument">"push.fanout_duration" for example.</param>
    public static PlotLine Of(double quantile, string instrument) =>
        new(PlotLineKind.Quantile, FormattableString.Invariant($"p{quantile * 100:0.#}"), instrument) { Quantile = quantile };

    /// <summary>One line for each value of a label, named after it.</summary>
    public PlotLine By(string label) => this with { Label = label };

    /// <summary>The instruments that it reads.</summary>
    internal IEnumerable<string> Instruments => Per is null ? [Instrument] : [Instrument, Per];
}

/// <summary>The kinds of <see cref="PlotLine"/>.</summary>
internal enum PlotLineKind
{
    Value,
    Rate,
    Ratio,
    Quantile,
}
