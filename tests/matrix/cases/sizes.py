"""The contract at its edges, as the fake and the newest MLflow keep it in `make test`."""

from tests.live.test_sizes import *  # noqa: F403
