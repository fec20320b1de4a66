namespace PushLoad.Reports;

/// <summary>The program's exit codes (docs/load-generator.md). When several apply, the lowest is taken.</summary>
internal enum ExitCode
{
    Passed = 0,
    Usage = 1,
    NotCarriedOut = 2,
    Lost = 3,
    Duplicated = 4,
    Reordered = 5,
    Violation = 6,
    Gap = 7,
    Disconnected = 8,
    Unconfirmed = 9,
}
