"""Filters with any text, as the fake and the newest MLflow answer them in `make test`."""

from tests.live.test_filters_live import *  # noqa: F403
