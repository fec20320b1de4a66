namespace PushHosting;

/// <summary>One condition for <c>/readyz</c>. All registered ones are asked at each request; must be quick and thread-safe.</summary>
public interface IReadiness
{
    /// <summary>Why the process should not be sent traffic, as a short sentence; null when this condition holds.</summary>
    string? NotReadyBecause { get; }

    /// <summary>What an operator should know although this condition holds, as one line or several; null when there is nothing.</summary>
    string? Detail => null;
}
