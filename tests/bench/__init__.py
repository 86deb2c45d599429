"""How fast the service is, beside what it could be at best and what one would have without it.

`make bench`, or `python -m tests.bench`: every side in one run on one machine, one table on standard output.
"""
