using Spectre.Console;

namespace PushLoad.Reports;

/// <summary>Output for the user: each second a redrawn table, or a line if there is no terminal; then the result.</summary>
internal sealed class Screen(IAnsiConsole console)
{
    private const int RowsToShow = 15;
    private const int WidthWithoutTerminal = 200;

    private static readonly string[] Columns =
        ["time", "phase", "connections", "joined", "published/s", "frames/s", "deliveries/s", "MB/s", "p50", "p90", "p99", "max"];

    private readonly Queue<string[]> _rows = new();

    /// <summary>Runs the load and shows its reports.</summary>
    public async Task<LoadResult> ShowAsync(Func<Action<SecondReport>, Task<LoadResult>> run)
    {
        if (!console.Profile.Capabilities.Interactive || !console.Profile.Out.IsTerminal)
            return await run(second => console.Profile.Out.Writer.WriteLine(Line(second)));

        return await console.Live(Progress()).StartAsync(live => run(second =>
        {
            _rows.Enqueue(Cells(second));
            if (_rows.Count > RowsToShow)
                _rows.Dequeue();
            live.UpdateTarget(Progress());
        }));
    }

    public void Show(LoadResult result)
    {
        // Without a terminal the width is unknown.
        if (!console.Profile.Out.IsTerminal)
            console.Profile.Width = WidthWithoutTerminal;
        var table = new Table().Border(TableBorder.Rounded).HideHeaders().AddColumns("", "");
        foreach (var (name, value) in ResultRows.Of(result))
            table.AddRow(Markup.Escape(name), Markup.Escape(value));
        console.Write(table);
        foreach (var reason in result.Verdict.Reasons)
            console.Profile.Out.Writer.WriteLine($"FAILED: {reason}");
        console.Profile.Out.Writer.WriteLine(result.Verdict.ExitCode == ExitCode.Passed ? "passed" : $"exit code {(int)result.Verdict.ExitCode}");
    }

    private Table Progress()
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var column in Columns)
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var row in _rows)
            table.AddRow(row);
        return table;
    }

    private static string Line(SecondReport second) =>
        string.Join("  ", Cells(second).Zip(Columns, (cell, column) => column is "time" or "phase" ? cell : $"{column} {cell}"));

    private static string[] Cells(SecondReport second) =>
    [
        Units.Seconds(second.Seconds), second.Phase, Units.Count(second.Connections), Units.Count(second.Members),
        Units.Count(second.PublishedPerSecond), Units.Count(second.FramesPerSecond), Units.Count(second.DeliveriesPerSecond),
        Units.Megabytes(second.BytesPerSecond),
        Time(second, second.Latency.P50), Time(second, second.Latency.P90), Time(second, second.Latency.P99), Time(second, second.Latency.Max),
    ];

    private static string Time(SecondReport second, long microseconds) => second.Latency.Count == 0 ? "-" : Units.Milliseconds(microseconds);
}
