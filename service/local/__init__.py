"""The local MLflow: its address, its store and its process. Only the sample imports MLflow."""
