// Each class starts processes of its own; more classes at once than a small machine has cores would only slow all of them down.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]
