using System.Reflection;
using PushNode.Messages;
using PushNode.WebSocket;

namespace PushNode.Tests.Messages;

public sealed class CloseReasonTests
{
    /// <summary>A reason that is missing there has no metric, and the connection's end would throw.</summary>
    [Fact]
    public void All_lists_every_reason()
    {
        var reasons = typeof(CloseReason).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => field.GetValue(null)).OfType<CloseReason>();
        Assert.Equal(reasons.ToHashSet(), CloseReason.All.ToHashSet());
        Assert.Equal(CloseReason.All.Count, CloseReason.All.DistinctBy(reason => reason.Label).Count());
    }

    [Theory]
    [InlineData(Violation.ProtocolError, "protocol_error")]
    [InlineData(Violation.UnsupportedData, "binary")]
    [InlineData(Violation.InvalidPayload, "bad_utf8")]
    [InlineData(Violation.MessageTooBig, "too_big")]
    public void A_violation_becomes_the_reason_with_its_code(ushort code, string label)
    {
        var reason = CloseReason.Of(new Violation(code, "text"));
        Assert.Equal((label, code, "text"), (reason.Label, reason.Code, reason.Text));
    }

    [Fact]
    public void Broken_deflate_data_is_told_from_broken_text() => Assert.Equal(CloseReason.BadDeflate, CloseReason.Of(Violation.BadDeflate));

    [Fact]
    public void A_reason_stays_the_same_with_another_text() => Assert.Equal(CloseReason.TooSlow, CloseReason.TooSlow.Because("another text"));
}
