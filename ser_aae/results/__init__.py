"""Results of runs: what a run leaves behind, reading it back, recomputing its scores."""
