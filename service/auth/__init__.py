"""Who may ask: credentials of callers, and the names they stand for."""
