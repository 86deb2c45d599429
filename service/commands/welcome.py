"""The text that is printed once the service listens: where to open it, and three commands to try."""

from __future__ import annotations

from service.api.answering import BASE
from service.errors import TrackingError
from service.tracking.queries import TrackingQueries


async def welcome(url: str, queries: TrackingQueries, *, console: str = "", credential: str = "") -> str:
    """Return the text, in which the commands name existing runs if there are any.

    url: of the service. console: the path of the console, "" if there is none. credential: the option of curl
    that sends a credential, "" if none is needed.
    """
    api = url + BASE
    first = f"\nOpen {url}{console}\n" if console else ""
    try:
        runs = (await queries.runs(run_type=None, strategy_id=None, limit=2)).value[:2]
    except TrackingError as error:
        return f"{first}\nExperiment Tracking API: {url}\nMLflow does not answer yet: {error.detail}\n"
    curl = f"curl {credential} " if credential else "curl "
    lines = [f"{curl}'{api}/runs?limit=5'"]
    if runs:
        lines.append(f"{curl}{api}/runs/{runs[0].run_id}")
    if len(runs) > 1:
        ids = ", ".join(f'"{run.run_id}"' for run in runs)
        header = "-H 'Content-Type: application/json'"
        lines.append(f"{curl}{api}/runs/compare {header} -d '{{\"run_ids\": [{ids}]}}'")
    else:
        lines.append(f"{curl}{api}/experiments")
    commands = "\n".join(f"  {line}" for line in lines)
    addresses = f"Experiment Tracking API: {url}\nDocumentation: {url}/docs"
    return f"{first}\n{addresses}\n\n{commands}\n\nCtrl-C stops the service."
