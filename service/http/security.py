"""What every answer bears, for the safety of browsers above all.

https://owasp.org/www-project-secure-headers/ has the reasons. Strict-Transport-Security belongs to
whoever ends TLS.
"""

from __future__ import annotations

from collections.abc import Mapping

SERVED_HEADERS: Mapping[str, str] = {
    "Server": "experiment-tracking",
    # Answers are data: a browser that shows one as a page runs, loads and frames nothing.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
SERVED_LINES = "".join(f"{name}: {value}\r\n" for name, value in SERVED_HEADERS.items())

# The page that shows the API: its own scripts and styles, its pictures, of which some stand in its style
# sheet, and this service to ask.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
