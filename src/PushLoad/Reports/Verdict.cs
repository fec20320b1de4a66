using System.Globalization;
using PushLoad.Measurement;
using PushLoad.Processes;
using PushLoad.Publishing;
using PushLoad.Verification;

namespace PushLoad.Reports;

/// <summary>Whether the server did what it promises, and if not, why not, in sentences.</summary>
internal sealed record Verdict(ExitCode ExitCode, IReadOnlyList<string> Reasons)
{
    public static Verdict Of(LoadPlan plan, Tally total, SequenceResult sequences, PublishTotals? published)
    {
        var found = new List<(ExitCode Code, string Reason)>();
        Find(ExitCode.Lost, sequences.Lost, "deliveries lost");
        Find(ExitCode.Duplicated, sequences.Duplicates, "deliveries duplicated");
        Find(ExitCode.Reordered, sequences.Reordered, "deliveries out of order");
        Find(ExitCode.Violation, total.Violations.Values.Sum(), $"violations of the protocol ({Words(total.Violations)})");
        Find(ExitCode.Violation, sequences.AnnouncedInVain, "deliveries announced as missing that were not");
        if (!plan.AllowGaps)
            Find(ExitCode.Gap, total.Gaps, "GAPs to connections that are no slow readers");
        if (!plan.AllowDisconnects)
            Find(ExitCode.Disconnected, total.Disconnects.Values.Sum(), $"connections ended by the server or the network ({Words(total.Disconnects)})");
        if (!plan.AllowUnconfirmed)
            Find(ExitCode.Unconfirmed, published?.Unconfirmed ?? 0, $"messages whose publishing was not confirmed ({Words(published?.Failures ?? [])})");
        if (plan.Publishes && total.Deliveries == 0)
            found.Add((ExitCode.NotCarriedOut, "not one message was delivered"));
        return new Verdict(found.Select(fault => fault.Code).DefaultIfEmpty(ExitCode.Passed).Min(), [.. found.Select(fault => fault.Reason)]);

        void Find(ExitCode code, long count, string what)
        {
            if (count > 0)
                found.Add((code, string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}")));
        }
    }

    private static string Words(Dictionary<string, long> reasons) => string.Join(", ", reasons.Select(reason => string.Create(CultureInfo.InvariantCulture, $"{reason.Key}: {reason.Value:N0}")));
}
