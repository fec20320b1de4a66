// Most tests wait most of the time. Collections share no program, port, Redis or clock, so several run side by side.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
