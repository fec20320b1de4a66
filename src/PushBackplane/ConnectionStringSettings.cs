namespace PushBackplane;

/// <summary>The keys under <c>ConnectionStrings</c>. Any other is refused: with a typo the process would use the wrong Redis, or memory.</summary>
internal sealed class ConnectionStringSettings
{
    public const string Section = "ConnectionStrings";

    /// <summary>Where Redis is; empty counts as unset.</summary>
    public string Redis { get; set; } = "";
}
