"""A pytest plugin for one run of the cases against one server: brings the server, and keeps what came out."""

import re
from collections.abc import Callable, Mapping

import pytest

from tests.matrix.report import Outcome, Verdict
from tests.matrix.servers import Tracked

TRACKED = pytest.StashKey[Tracked]()
# A problem of the service's, whose request_id differs each time.
_PROBLEM = re.compile(r"\{.type.: .*?.status.: (\d+), .*?.code.: .(\w+)., .*?\}")
_LONGEST = 400  # characters of what is said of a difference


class Asking:
    """limits: the tests that the server cannot pass, by name, and why. One that passes is a failure."""

    def __init__(self, tracked: Tracked, limits: Mapping[str, str], progress: Callable[[str], None]) -> None:
        self._tracked = tracked
        self._limits = limits
        self._progress = progress
        self._tests: dict[str, tuple[str, str, str]] = {}  # name, what it says, which case of it
        self.outcomes: list[Outcome] = []
        self.unused_limits = set(limits)
        self.stopped = False  # by Ctrl-C, which pytest keeps to itself

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[TRACKED] = self._tracked

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        # What cannot be collected is told in the same way, as an exception derived from it.
        self.stopped = excinfo.type is KeyboardInterrupt

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if not isinstance(item, pytest.Function):
                raise TypeError(f"{item.nodeid} is no test function")
            title = (item.function.__doc__ or item.name).strip().partition("\n")[0]
            parameter = item.callspec.id if hasattr(item, "callspec") else ""
            self._tests[item.nodeid] = (item.originalname, title, parameter)
            for name in (item.name, item.originalname):
                if name in self._limits:
                    self.unused_limits.discard(name)
                    item.add_marker(pytest.mark.xfail(reason=self._limits[name], strict=True))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        verdict = _verdict(report)
        if verdict is None:
            return
        words = report.wasxfail if verdict is Verdict.LIMIT else _words(report)
        self.outcomes.append(Outcome(*self._tests[report.nodeid], verdict, words))
        self._progress("." if verdict is Verdict.OK else "l" if verdict is Verdict.LIMIT else "F")


def _verdict(report: pytest.TestReport) -> Verdict | None:
    """What a report of one of a test's three phases decides; None where it decides nothing."""
    if report.skipped:
        return Verdict.LIMIT if hasattr(report, "wasxfail") else Verdict.DIFFERS
    if report.failed:
        return Verdict.DIFFERS
    return Verdict.OK if report.when == "call" else None


def _words(report: pytest.TestReport) -> str:
    if report.passed:
        return ""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(report.longrepr if crash is None else crash.message)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    words = " ".join(lines).removeprefix("AssertionError: ")
    return _PROBLEM.sub(r"answered \1 \2", words)[:_LONGEST]
