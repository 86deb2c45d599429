"""HTTP as callers see it."""
