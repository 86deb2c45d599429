"""docs/reference/errors.md, from the tree of errors."""

from __future__ import annotations

from generator.tables import REMARK, summary, table
from service.http.problems import kinds, status_of

ERRORS = """\
# Errors

Errors are `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)). `code` is for
programs and keeps its meaning. `detail` is for people. Every answer has an `X-Request-ID`: the caller's own
if it sent a well-formed one, else a new one. For the errors 500 to 504 the log says under that id what
happened. The body never repeats what MLflow said, a URL or a credential.

`invalid_request` has the member `errors`, `run_not_found` has `missing_run_ids`, and `index_not_ready` has
`share_read`. 401 and 403 have the header `WWW-Authenticate`, 405 has `Allow`, and 503 has `Retry-After`, in
seconds.

[The fine print](contract.md#refusals) says more about some of them, and
[resilience](../explanation/resilience.md) which failure of MLflow becomes which error. HAProxy in
`config/deploy` has [codes of its own](../../config/deploy/README.md#haproxy).
"""


def errors_page() -> str:
    """Every code with its status, and what the body of such an error looks like."""
    own = [kind for kind in kinds() if "code" in vars(kind)]
    rows = [
        (str(status_of(kind)), f"`{kind.code}`", kind.title, _when(kind))
        for kind in sorted(own, key=lambda kind: (status_of(kind), kind.code))
    ]
    remark = REMARK.format(source="service/errors.py and service/http/errors.py")
    return remark + ERRORS + "\n" + table(("status", "`code`", "`title`", "when"), rows)


def _when(kind: type) -> str:
    """The first sentence of an error's docstring; what follows is for whoever raises it."""
    return summary(kind).partition(". ")[0].rstrip(".") + "."
