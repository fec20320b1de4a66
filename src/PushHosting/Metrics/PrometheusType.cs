namespace PushHosting;

/// <summary>The types of the Prometheus text format that OpenTelemetry's instruments map to.</summary>
internal enum PrometheusType
{
    /// <summary>Only grows.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>Cumulative buckets, sum and count.</summary>
    Histogram,
}
