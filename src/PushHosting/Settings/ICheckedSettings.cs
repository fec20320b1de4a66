namespace PushHosting;

/// <summary>A settings class with rules that one property's range cannot say: a text's form, or two keys that must fit each other.</summary>
public interface ICheckedSettings
{
    /// <summary>
    /// Checks the values after all are read. Returns null, or what is wrong as one sentence that names the key in full and what it accepts.
    /// </summary>
    /// <param name="section">The section that was read, "Push:Outbox" for example, to name keys with.</param>
    string? Problem(string section);
}
