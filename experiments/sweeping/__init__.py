"""Grids of runs, and the processes or cluster jobs that do them."""
