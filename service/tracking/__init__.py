"""What the product is about: runs, experiments and comparisons. Knows no HTTP."""
