using System.Reflection;
using System.Reflection.Emit;

namespace PushNode.Tests.Architecture;

/// <summary>
/// Which folders of a project use types of which others, read from its assembly: base types, fields, signatures and every instruction.
/// Namespaces follow folders. The project's root, which composes the rest, is no folder.
/// </summary>
internal static class FolderGraph
{
    private const BindingFlags Everything =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> Codes =
        typeof(OpCodes).GetFields().Select(field => field.GetValue(null)).OfType<OpCode>().ToDictionary(code => code.Value);

    /// <summary>The folders that each folder uses.</summary>
    public static Dictionary<string, HashSet<string>> Read(Assembly assembly)
    {
        var project = assembly.GetName().Name!;
        var graph = new Dictionary<string, HashSet<string>>();
        foreach (var type in assembly.GetTypes())
        {
            if (FolderOf(type, project) is not { Length: > 0 } folder)
                continue;
            graph.TryAdd(folder, []);
            graph[folder].UnionWith(UsedBy(type).SelectMany(Flatten).Where(used => used.Assembly == assembly).Select(used => FolderOf(used, project))
                .OfType<string>().Where(used => used.Length > 0 && used != folder));
        }

        return graph;
    }

    /// <summary>A folder that uses itself through others, with the way back to it; null if there is none.</summary>
    public static string? FindCycle(Dictionary<string, HashSet<string>> graph)
    {
        var done = new HashSet<string>();
        var path = new List<string>();
        return graph.Keys.Select(Visit).FirstOrDefault(cycle => cycle is not null);

        string? Visit(string folder)
        {
            if (path.Contains(folder))
                return string.Join(" -> ", path[path.IndexOf(folder)..].Append(folder));
            if (!done.Add(folder))
                return null;
            path.Add(folder);
            var cycle = graph.GetValueOrDefault(folder, []).Select(Visit).FirstOrDefault(found => found is not null);
            path.Remove(folder);
            return cycle;
        }
    }

    /// <returns>Empty for the root; null for a type that the compiler or a generator put elsewhere.</returns>
    private static string? FolderOf(Type type, string project) =>
        type.Namespace == project ? "" : type.Namespace?.StartsWith(project + ".", StringComparison.Ordinal) == true ? type.Namespace[(project.Length + 1)..].Replace('.', '/') : null;

    private static IEnumerable<Type> UsedBy(Type type)
    {
        if (type.BaseType is { } parent)
            yield return parent;
        foreach (var implemented in type.GetInterfaces())
            yield return implemented;
        foreach (var field in type.GetFields(Everything))
            yield return field.FieldType;
        foreach (var method in type.GetMethods(Everything).Cast<MethodBase>().Concat(type.GetConstructors(Everything)))
        {
            if (method is MethodInfo { ReturnType: var returned })
                yield return returned;
            foreach (var parameter in method.GetParameters())
                yield return parameter.ParameterType;
            if (method.GetMethodBody() is not { } body)
                continue;
            foreach (var local in body.LocalVariables)
                yield return local.LocalType;
            foreach (var used in UsedBy(method, body.GetILAsByteArray()!))
                yield return used;
        }
    }

    private static IEnumerable<Type> UsedBy(MethodBase method, byte[] code)
    {
        var typeArguments = method.DeclaringType!.GetGenericArguments();
        var methodArguments = method is MethodInfo ? method.GetGenericArguments() : [];
        for (var at = 0; at < code.Length;)
        {
            var value = (short)code[at++];
            if (value == 0xFE)
                value = (short)(0xFE00 | code[at++]);
            var kind = Codes[value].OperandType;
            if (kind is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType)
            {
                var member = method.Module.ResolveMember(BitConverter.ToInt32(code, at), typeArguments, methodArguments);
                if ((member as Type ?? member?.DeclaringType) is { } type)
                    yield return type;
                foreach (var argument in member is MethodInfo { IsGenericMethod: true } generic ? generic.GetGenericArguments() : [])
                    yield return argument;
            }

            at += kind switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, at),
                _ => 4,
            };
        }
    }

    /// <summary>The type with its element type and its generic arguments.</summary>
    private static IEnumerable<Type> Flatten(Type type)
    {
        if (type.HasElementType)
            return Flatten(type.GetElementType()!);
        return type.IsGenericType ? type.GetGenericArguments().SelectMany(Flatten).Append(type) : [type];
    }
}
