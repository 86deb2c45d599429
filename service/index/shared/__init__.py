"""An index that several replicas share: one of them asks MLflow, and all apply what it learns."""
