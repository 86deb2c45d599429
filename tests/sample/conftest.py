from __future__ import annotations

import pytest

from service.local.sample.runs import SampleRun
from service.local.sample.session import session


@pytest.fixture(scope="session")
def runs() -> tuple[SampleRun, ...]:
    """The sample's runs, worked out once for all tests: they are immutable."""
    return session()
