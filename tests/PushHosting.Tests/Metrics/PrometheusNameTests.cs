using PushHosting.Metrics;

namespace PushHosting.Tests.Metrics;

public sealed class PrometheusNameTests
{
    [Theory]
    [InlineData("push.messages", "{message}", "Counter", "push_messages_total")]
    [InlineData("push_messages_total", "{message}", "Counter", "push_messages_total")]
    [InlineData("push.publish.latency", "s", "Histogram", "push_publish_latency_seconds")]
    [InlineData("push_fanout_duration_seconds", "s", "Histogram", "push_fanout_duration_seconds")]
    [InlineData("push.sent", "By", "Counter", "push_sent_bytes_total")]
    [InlineData("push.sent.bytes.total", "By", "Counter", "push_sent_bytes_total")]
    [InlineData("push.up", "1", "Gauge", "push_up")]
    [InlineData("push.depth", "furlong", "Gauge", "push_depth")]
    [InlineData("push.depth", null, "Gauge", "push_depth")]
    [InlineData("dotnet.timer.count", "{timer}", "Gauge", "dotnet_timer_count_value")]
    [InlineData("work.item.count", "{item}", "Counter", "work_item_count_total")]
    [InlineData("a/b--c..d", null, "Gauge", "a_b_c_d")]
    [InlineData("9lives", null, "Gauge", "_9lives")]
    [InlineData("命", null, "Gauge", "_")]
    public void The_Prometheus_name_comes_from_name_and_unit(string name, string? unit, string type, string expected) =>
        Assert.Equal(expected, PrometheusName.OfMetric(name, unit, Enum.Parse<PrometheusType>(type)));
}
