"""Callers' places in a trace."""

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
OTHER = f"00-{TRACE}-00f067aa0ba902b8-01"
