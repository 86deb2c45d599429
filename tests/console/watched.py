"""A page in a browser, and all that went wrong in it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

MILLISECONDS: Final = 15_000  # that a busy machine may take for anything a test waits for
_LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""

_TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"


class Watched:
    """A page of the console. page: Playwright's. base: the address of the console, with its slash.

    expected: parts of messages on the browser's console that a test provokes, such as "503" of an answer with
    that status, or "ERR_INTERNET_DISCONNECTED".
    """

    def __init__(self, page: Any, base: str) -> None:
        self.page = page
        self.base = base
        self.expected: list[str] = []
        self.requests: list[str] = []
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

    async def is_settled(self) -> None:
        """Wait until the page has loaded and waits for nothing: no skeleton is shown in its place."""
        await self.page.locator("main h1, main .failure").first.wait_for()
        await self.page.locator('main [aria-busy="true"]').first.wait_for(state="detached")

    async def is_seen(self, *, width: int = 0, height: int = 800, **media: Any) -> None:
        """Show the page in a window of this size, in CSS px; media: options of Playwright's `emulate_media`.

        It waits until the page is drawn so: what listens to sizes and themes is told when a frame is drawn,
        and a page that is asked sooner answers for the window that it had before.
        """
        await self.page.emulate_media(**media)
        if width:
            await self.page.set_viewport_size({"width": width, "height": height})
        await self.page.evaluate(_TWO_FRAMES)

    async def goes_offline(self) -> None:
        """The browser reaches nobody any more."""
        self.expected.append("ERR_INTERNET_DISCONNECTED")
        await self.page.context.set_offline(True)

    async def comes_back(self) -> None:
        """The browser reaches the service again."""
        await self.page.context.set_offline(False)

    async def end(self) -> None:
        """Nothing went wrong: no exception, no error on the console, no violated policy, no other host."""
        violations = await self.page.evaluate("window.violations ?? []")
        faults = [*self._faults, *(f"against the policy: {one}" for one in violations)]
        unexpected = [one for one in faults if not any(part in one for part in self.expected)]
        assert not unexpected, unexpected

    def forget(self) -> None:
        """Whatever has gone wrong was the test's own doing."""
        self.expected.append("")

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self._faults.append(f"{message.type} on the console: {message.text}")

    def _see(self, request: Any) -> None:
        self.requests.append(request.url)
        where, ours = urlsplit(request.url), urlsplit(self.base)
        if where.scheme in {"http", "https"} and where.netloc != ours.netloc:
            self._faults.append(f"a request to another host: {request.url}")


@asynccontextmanager
async def watching(browser: Any, base: str, **options: Any) -> AsyncIterator[Watched]:
    """A page of a reader of its own. options: Playwright's of a context, such as color_scheme."""
    options = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US", "timezone_id": "UTC", **options}
    context = await browser.new_context(**options)
    context.set_default_timeout(MILLISECONDS)
    try:
        watched = Watched(await context.new_page(), base)
        await watched.begin()
        yield watched
        await watched.end()
    finally:
        await context.close()
