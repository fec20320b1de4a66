using PushLoad.Measurement;

namespace PushLoad.Reports;

/// <summary>One line of the live progress, and one point of the plots. Rates are per second; latencies those of the messages that came in this interval.</summary>
internal sealed record SecondReport(
    double Seconds,
    string Phase,
    long Connections,
    long Members,
    double PublishedPerSecond,
    double FramesPerSecond,
    double DeliveriesPerSecond,
    double BytesPerSecond,
    Percentiles Latency);
