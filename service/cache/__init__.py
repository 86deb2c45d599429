"""What is remembered of MLflow's answers, and how fresh it is."""
