namespace PushHosting;

/// <summary>The range of an <see cref="int"/>, <see cref="long"/> or <see cref="double"/> setting, both ends included.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class NumberAttribute(long least, long most) : Attribute
{
    /// <summary>The smallest number accepted.</summary>
    public long Least { get; } = least;

    /// <summary>The largest number accepted.</summary>
    public long Most { get; } = most;
}
