using System.Text.Json;
using PushApi.Problems;

namespace PushApi.Requests;

/// <summary>Slices the elements of a JSON array out of the bytes of the body.</summary>
internal static class JsonItems
{
    /// <summary>The name of the array in forms and in JSON.</summary>
    public const string Field = "items";

    /// <summary>
    /// Adds each element as a message. Moves the reader from the array's start to its end. Its MaxDepth must be
    /// <see cref="PushBackplane.MessagePayload.MaxDepth"/> plus the levels that are open here.
    /// </summary>
    /// <param name="reader">Reads <paramref name="json"/>, which is known to be UTF-8.</param>
    /// <param name="json">The bytes to slice.</param>
    /// <param name="request">Takes the messages.</param>
    /// <returns>What is wrong, or null.</returns>
    /// <exception cref="JsonException">The JSON is broken.</exception>
    public static Problem? Read(ref Utf8JsonReader reader, ReadOnlyMemory<byte> json, PublishRequest request)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            var place = Place.AtItem(Field, request.Messages.Count);
            if (request.AddMessage(json[start..(int)reader.BytesConsumed], place) is { } problem)
                return problem;
        }

        return request.Messages.Count == 0
            ? new Problem(ProblemType.NoMessages, $"{Field} is empty; it must hold at least one message.", Place.AtField(Field))
            : null;
    }
}
