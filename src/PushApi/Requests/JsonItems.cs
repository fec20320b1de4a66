using System.Text.Json;
using PushApi.Problems;

namespace PushApi.Requests;

/// <summary>Slices the elements of a JSON array out of the bytes they came in.</summary>
internal static class JsonItems
{
    /// <summary>The field both formats use.</summary>
    public const string Field = "items";

    /// <summary>
    /// Adds each element as a message. The reader stands on the array's start and ends on its end; its MaxDepth has to
    /// be <see cref="PushBackplane.MessagePayload.MaxDepth"/> plus the levels that are open by then.
    /// </summary>
    /// <param name="reader">Over <paramref name="json"/>, which is known to be UTF-8.</param>
    /// <param name="json">The bytes to slice.</param>
    /// <param name="request">Where to.</param>
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
            ? new Problem(ProblemType.NoMessages, $"{Field} is empty; it has to hold at least one message.") { Field = Field }
            : null;
    }
}
