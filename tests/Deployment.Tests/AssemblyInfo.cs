// The tests use most of two cores with the processes that they start, and some measure delays.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
