"""The client of MLflow's REST API. No other room talks to it."""
