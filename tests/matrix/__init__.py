"""The contract over every server that the documentation names: `make matrix`, or `python -m tests.matrix`."""
