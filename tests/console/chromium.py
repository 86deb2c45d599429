"""The Chromium that the tests drive."""

import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

# Debian's; another machine names its own.
CHROMIUM: Final = os.environ.get("CHROMIUM", "/usr/bin/chromium")
# Without them Chromium asks its maker's hosts at every start, and needs what a container lacks.
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # The first two are pages that the address bar draws for itself, half a second of processor time for each
    # window; the others Playwright disables, too, and this list takes the place of its own.
    (
        "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,PreloadTopChromeWebUI,AimEnabled,"
        "PreconnectToSearch,OptimizationHints,NetworkTimeServiceQuerying,MediaRouter,HttpsUpgrades,"
        "HttpsFirstBalancedModeAutoEnable,PaintHolding,DestroyProfileOnBrowserClose"
    ),
)


def is_installed() -> bool:
    """Whether this machine has it."""
    return shutil.which(CHROMIUM) is not None


@asynccontextmanager
async def chromium(*flags: str) -> AsyncIterator[Any]:
    """A running Chromium, Playwright's `Browser`. flags: more of its command line."""
    from playwright.async_api import async_playwright  # noqa: PLC0415 - `make console` installs it

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            await browser.close()


if __name__ == "__main__" and not is_installed():
    sys.exit(
        f"There is no browser at {CHROMIUM}. On Debian: apt-get install chromium. Elsewhere: set the "
        "variable CHROMIUM to the path of a Chromium or a Chrome."
    )
