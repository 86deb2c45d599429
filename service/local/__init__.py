"""The local MLflow: what its address means, what is there, and its process. Nothing here imports MLflow."""
