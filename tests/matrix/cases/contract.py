"""The contract of the six routes, as the fake and the newest MLflow keep it in `make test`."""

from tests.live.test_contract import *  # noqa: F403
