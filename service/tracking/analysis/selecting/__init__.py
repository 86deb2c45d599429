"""The parts of the report on a selection: what is declared, what was tried, and what follows. Pure."""
