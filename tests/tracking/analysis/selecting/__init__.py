"""Tests of the parts of the report on a selection."""
