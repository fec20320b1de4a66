using System.Globalization;
using PushApi.Problems;

namespace PushApi.Requests;

/// <summary>
/// Reads the parameters in a request's query. A route's own class knows which; others are ignored. Belongs to one request.
/// </summary>
internal abstract class QueryParameters(IQueryCollection query)
{
    /// <summary>What is wrong with a parameter; null if nothing is.</summary>
    public Problem? Problem { get; private set; }

    /// <summary>Whether a parameter is given.</summary>
    public bool Has(string name) => query.ContainsKey(name);

    /// <summary>Refuses a parameter that another excludes.</summary>
    public void Exclude(string name, string other)
    {
        if (Has(name) && Has(other))
            Refuse(name, $"does not go with {other}.");
    }

    /// <summary>A parameter; null without it.</summary>
    protected string? Text(string name)
    {
        if (!query.TryGetValue(name, out var values))
            return null;
        if (values.Count == 1)
            return values[0];
        Refuse(name, "is given more than once.");
        return null;
    }

    /// <summary>A number from 1.</summary>
    /// <param name="name">The parameter.</param>
    /// <param name="standard">The number without the parameter.</param>
    /// <param name="largest">The largest that is accepted.</param>
    protected int Number(string name, int standard, int largest)
    {
        if (Text(name) is not { } text)
            return standard;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= largest)
            return number;
        Refuse(name, $"is {Problems.Problem.Quote(text)}; it accepts a number from 1 to {largest}.");
        return standard;
    }

    /// <summary>Refuses the request, unless another parameter was wrong before.</summary>
    /// <param name="name">The parameter.</param>
    /// <param name="fault">What is wrong, as the end of a sentence that begins with its name.</param>
    protected void Refuse(string name, string fault) => Problem ??= new Problem(ProblemType.BadQuery, $"{name} {fault}", Place.AtField(name));
}
