using System.Globalization;
using PushLoad.Measurement;
using PushLoad.Plans;
using PushLoad.Publishing;
using PushLoad.Verification;

namespace PushLoad.Reports;

/// <summary>Whether the server passed, and the reasons if it did not.</summary>
internal sealed record Verdict(ExitCode ExitCode, IReadOnlyList<string> Reasons)
{
    public static Verdict Of(LoadPlan plan, Tally total, SequenceResult sequences, PublishTotals? published)
    {
        var found = new List<(ExitCode Code, string Reason)>();
        Find(ExitCode.Lost, sequences.Lost, "deliveries lost");
        Find(ExitCode.Lost, total.Sends?.Lost ?? 0, "deliveries of accepted SENDs lost");
        Find(ExitCode.Duplicated, sequences.Duplicates, "deliveries duplicated");
        Find(ExitCode.Duplicated, total.Sends?.Surplus ?? 0, "deliveries of SENDs duplicated or not accepted");
        Find(ExitCode.Reordered, sequences.Reordered, "deliveries out of order");
        Find(ExitCode.Violation, total.Violations.Values.Sum(), $"protocol violations ({Words(total.Violations)})");
        // A GAP counts SENDs too, whose absence nobody can place.
        if (plan.SendRate == 0)
            Find(ExitCode.Violation, sequences.AnnouncedInVain, "deliveries that a GAP announced as missing but that arrived");
        if (!plan.AllowGaps)
            Find(ExitCode.Gap, total.Gaps, "GAPs to connections that are not slow readers");
        if (!plan.AllowDisconnects)
            Find(ExitCode.Disconnected, total.Disconnects.Values.Sum(), $"connections ended by the server or the network ({Words(total.Disconnects)})");
        if (!plan.AllowUnconfirmed)
            Find(ExitCode.Unconfirmed, published?.Unconfirmed ?? 0, $"messages not confirmed by the API or Redis ({Words(published?.Failures ?? [])})");
        if (!plan.AllowUnrecovered)
            Find(ExitCode.NotRecovered, total.Resumes?.NotRecovered ?? 0, "positions not recovered");
        if (!plan.AllowUnconfirmed)
            Find(ExitCode.Unconfirmed, total.Sends?.Unanswered ?? 0, "SENDs unanswered");
        if (total.Sends is { Accepted: 0 })
            found.Add((ExitCode.NotCarriedOut, "no SEND was accepted"));
        if (plan.Publishes && total.Deliveries == 0)
            found.Add((ExitCode.NotCarriedOut, "no message was delivered"));
        return new Verdict(found.Select(fault => fault.Code).DefaultIfEmpty(ExitCode.Passed).Min(), [.. found.Select(fault => fault.Reason)]);

        void Find(ExitCode code, long count, string what)
        {
            if (count > 0)
                found.Add((code, string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}")));
        }
    }

    private static string Words(Dictionary<string, long> reasons) =>
        string.Join(", ", reasons.Select(reason => string.Create(CultureInfo.InvariantCulture, $"{reason.Key}: {reason.Value:N0}")));
}

/// <summary>The program's exit codes (docs/load-generator.md). The lowest that applies is used.</summary>
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
    NotRecovered = 10,
}
