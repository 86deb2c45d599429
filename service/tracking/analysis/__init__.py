"""What a researcher decides by: statistics of runs, folds and trials. Pure, but for what reads the runs."""
