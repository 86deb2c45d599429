"""The settings: environment variables over config/service.toml."""
