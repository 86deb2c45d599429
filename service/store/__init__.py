"""The store that replicas share, over the Redis protocol."""
