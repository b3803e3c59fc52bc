// Each class starts processes of its own; more classes at once than a small machine has cores would only slow all of them down.
[assembly: Xunit.v3.Parallelization(MaxThreads = 2)]
