"""A small research session on simulated prices, logged to an empty MLflow so that a first look shows runs.

    prices → strategy → trades → performance      what a rule holds, and how good that was
    forecast, splits → validation                 walk forward and cross-validation of rules
    experiments → session → record → MLflow       what is run, as plain values, and its writing
    provenance → registry → MLflow                what a run was made from, and the models that it makes

Only `record` and `registry` know MLflow. Nothing reads a clock or a file, so each machine logs the same runs.
Needs the `embedded` extra.
"""
