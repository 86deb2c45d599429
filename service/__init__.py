"""The Experiment Tracking API: an async façade over MLflow's REST API."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("experiment-tracking")
except PackageNotFoundError:  # run from a source tree, as in the image
    __version__ = "0.1.0"
