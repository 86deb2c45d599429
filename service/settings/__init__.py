"""The settings, which environment variables and config/service.toml set."""
