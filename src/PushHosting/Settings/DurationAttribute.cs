namespace PushHosting;

/// <summary>The range of a <see cref="TimeSpan"/> setting, both ends included, in .NET's form <c>hh:mm:ss.fff</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DurationAttribute(string least, string most) : Attribute
{
    /// <summary>The shortest duration accepted.</summary>
    public string Least { get; } = least;

    /// <summary>The longest duration accepted.</summary>
    public string Most { get; } = most;
}
