"""Which session made an artefact, and what is recorded of it."""
