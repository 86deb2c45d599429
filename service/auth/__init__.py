"""Authentication: the credentials of callers, and the names that they stand for."""
