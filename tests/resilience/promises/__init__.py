"""Each promise of the service under load and through faults, as a measurement that fails where it is broken.

A module holds one; its numbers are arguments, so that the tests run a quick form and the soak a long one.
"""
