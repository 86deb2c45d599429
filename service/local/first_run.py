"""The last steps of the first start over a new store: the sample, and the mark that the store is complete."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from service.local.environment import environment
from service.local.store import Store

_ROOT = Path(__file__).parents[2]  # the folder of the package `service`, installed or not


def finish(store: Store, url: str, experiment_name: str, *, sample: bool) -> None:
    """Complete a new store once MLflow answers at `url`: write the sample if asked to, and remove the mark.

    The sample is written once, and only to the service's own store. If that fails or is interrupted, the next
    start with `sample` completes it.
    """
    if store.is_read_only or not (store.is_new or store.is_unfinished):
        return
    if store.is_own:
        if sample and not _write_sample(url, experiment_name, resume=not store.is_new):
            return
        if not sample and not store.is_new:
            return  # an incomplete sample stays marked
    store.unfinished.unlink(missing_ok=True)


def _write_sample(url: str, experiment_name: str, *, resume: bool) -> bool:
    """Write the sample in a process of its own, and tell whether that succeeded."""
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
