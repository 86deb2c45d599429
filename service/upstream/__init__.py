"""MLflow's REST API: the only room that talks to it."""
