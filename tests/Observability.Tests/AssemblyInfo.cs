// The tests share two cores with the processes they start: side by side they would only disturb each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
