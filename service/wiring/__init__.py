"""Makes parts from settings: who tells callers apart, how MLflow is reached, which local store is used."""
