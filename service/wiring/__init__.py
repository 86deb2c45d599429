"""Builds parts from the settings: authentication of callers, the connection to MLflow, the local store."""
