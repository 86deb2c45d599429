"""The Experiment Tracking API: an async façade over MLflow's REST API."""

__version__ = "0.1.0"
