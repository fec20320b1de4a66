namespace PushBackplane;

/// <summary>The keys under <c>ConnectionStrings</c>. Any other is refused: a typo would be a process on the wrong Redis, or on memory.</summary>
internal sealed class ConnectionStringSettings
{
    public const string Section = "ConnectionStrings";

    /// <summary>Where Redis is; empty counts as unset.</summary>
    public string Redis { get; set; } = "";
}
