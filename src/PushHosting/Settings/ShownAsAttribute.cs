namespace PushHosting.Settings;

/// <summary>
/// How the node's page shows a text that may have a secret in it. Without one, a text that looks like a secret is not shown at all.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public abstract class ShownAsAttribute : Attribute
{
    /// <summary>The text without its secrets.</summary>
    /// <param name="value">One value, which is accepted and not empty.</param>
    public abstract string Show(string value);
}
