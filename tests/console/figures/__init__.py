"""What the console costs its readers: bytes, times, frames and memory, for a machine at rest."""
