"""All runs of the experiments that are indexed, in columns: searched here, and kept in step with MLflow."""
