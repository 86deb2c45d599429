"""The index of runs."""
