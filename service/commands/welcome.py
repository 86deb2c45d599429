"""What a newcomer reads once the service is up: its address, and three commands that work."""

from __future__ import annotations

from service.api.answering import BASE
from service.errors import TrackingError
from service.tracking.queries import TrackingQueries


async def welcome(url: str, queries: TrackingQueries, *, credential: str = "") -> str:
    """The text, with the ids of real runs where there are any. credential: curl's option that shows one."""
    api = url + BASE
    try:
        runs = (await queries.runs(run_type=None, strategy_id=None, limit=2)).value
    except TrackingError as error:
        return f"\nExperiment Tracking API: {url}\nMLflow does not answer yet: {error.detail}\n"
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
    return f"\nExperiment Tracking API: {url}\nDocumentation: {url}/docs\n\n{commands}\n\nCtrl-C stops it."
