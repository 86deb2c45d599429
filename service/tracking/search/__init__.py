"""Searching runs: what can be asked, and what is answered."""
