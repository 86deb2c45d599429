"""The tests. `pytest` imports this file first."""

import sys

# At its import jsonschema builds a parser of addresses from a grammar, if it can; that takes seconds in each
# process, and no schema here asks for such a format.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
