"""The commands besides serving, and what prepares the process for serving."""
