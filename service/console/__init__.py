"""The console: a page for browsers over the public API. Its files are served as they are."""
