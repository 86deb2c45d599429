"""A page in a browser, and all that went wrong in it."""

import re
from typing import Any
from urllib.parse import urlsplit

_LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""


class Watched:
    """A page of the console. page: Playwright's. base: the address of the console, with its slash.

    expected: parts of messages on the browser's console that a test provokes, such as of an answer with 503.
    """

    def __init__(self, page: Any, base: str) -> None:
        self.page = page
        self.base = base
        self.expected: list[str] = []
        self._faults: list[str] = []

    async def begin(self) -> None:
        """Listen; to be called before anything is loaded."""
        self.page.on("pageerror", lambda error: self._faults.append(f"an exception: {error}"))
        self.page.on("console", self._hear)
        self.page.on("request", self._see)
        await self.page.add_init_script(_LISTEN)

    async def go(self, path: str) -> None:
        """Load a page of the console: "runs", "run?id=abc"."""
        await self.page.goto(self.base + path)

    async def has_title(self, beginning: str) -> None:
        """Wait until the document's title begins so."""
        # Not `wait_for_function`, which evaluates a text in the page, and the policy forbids that.
        from playwright.async_api import expect  # noqa: PLC0415 - `make console` installs it

        await expect(self.page).to_have_title(re.compile(f"^{re.escape(beginning)}"))

    async def end(self) -> None:
        """Nothing went wrong: no exception, no error on the console, no violated policy, no other host."""
        faults = [one for one in self._faults if not any(part in one for part in self.expected)]
        assert [] == faults
        assert [] == await self.page.evaluate("window.violations ?? []")

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self._faults.append(f"{message.type} on the console: {message.text}")

    def _see(self, request: Any) -> None:
        where, ours = urlsplit(request.url), urlsplit(self.base)
        if where.scheme in {"http", "https"} and where.netloc != ours.netloc:
            self._faults.append(f"a request to another host: {request.url}")
