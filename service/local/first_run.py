"""The sample in a store that the service has just made, or that an earlier start left without all of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from service.local.environment import environment
from service.local.store import Store

_ROOT = Path(__file__).parents[2]  # where the package `service` is, installed or not


def finish(store: Store, url: str, experiment_name: str, *, sample: bool) -> None:
    """What is left to do once MLflow answers: the sample, where it is wanted, and the end of the making.

    The sample goes into the service's own store only, and once. A sample that fails, or breaks off, is
    completed at the next start that wants it.
    """
    if store.is_read_only or not (store.is_new or store.is_unfinished):
        return
    if store.is_own:
        if sample and not _bring_sample(url, experiment_name, resume=not store.is_new):
            return
        if not sample and not store.is_new:
            return  # the sample is still to be completed
    store.unfinished.unlink(missing_ok=True)


def _bring_sample(url: str, experiment_name: str, *, resume: bool) -> bool:
    command = [
        sys.executable,
        "-m",
        "service.local.sample",
        *(["--resume"] if resume else []),
        url,
        experiment_name,
    ]
    own = environment(os.environ)
    path = os.pathsep.join(part for part in (str(_ROOT), own.get("PYTHONPATH", "")) if part)
    return subprocess.run(command, env=own | {"PYTHONPATH": path}, check=False).returncode == 0
