using System.Text.Json.Serialization;

namespace PushLoad.Processes;

/// <summary>The lines between the main process and its workers.</summary>
[JsonSerializable(typeof(WorkerPlan))]
[JsonSerializable(typeof(WorkerCommand))]
[JsonSerializable(typeof(WorkerReport))]
internal sealed partial class PipeJson : JsonSerializerContext;
