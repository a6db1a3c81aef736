"""What is run: the named experiments, their evaluation and the benchmarks."""
