"""What the settings mean over a local MLflow: which store, which time limits, and remarks about both."""

from __future__ import annotations

import os

from service.local.address import ServerAddress, parse
from service.local.environment import withheld
from service.local.store import Store, find_store
from service.settings.load import Settings, SettingsError, is_chosen, variables

_TIME_LIMIT = 60.0  # seconds; MLflow's file store reads every run for each list, 5,000 of them in 16 s


def local_store(settings: Settings) -> Store | None:
    """Return the store to start a local MLflow over; None if MLFLOW_TRACKING_URI is a server's address.

    SettingsError if the address names something else than a store.
    """
    uri = settings.mlflow_tracking_uri
    address = parse(uri, os.path.isdir) if uri else None
    if isinstance(address, ServerAddress):
        return None
    try:
        return find_store(address, settings.data_dir)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def settled(settings: Settings, store: Store) -> Settings:
    """Return the settings over a local store.

    Time limits that are not set become longer, no experiment is created in a read-only store, and the
    snapshot of the index lies beside the store. The address is the store's, absolute: a local MLflow has
    another one after each start.
    """
    upstream, index, beside = settings.upstream, settings.index, store.path.parent
    update: dict[str, object] = {
        "mlflow_tracking_uri": store.uri,
        "create_experiment": settings.create_experiment and not store.is_read_only,
    }
    if index.snapshot_dir is None and not store.is_read_only and os.access(beside, os.W_OK):
        update["index"] = index.model_copy(update={"snapshot_dir": beside})
    if not is_chosen("TRACKING_DEADLINE", settings.deadline):
        update["deadline"] = _TIME_LIMIT
    if not is_chosen("TRACKING_UPSTREAM__READ_TIMEOUT", upstream.read_timeout):
        update["upstream"] = upstream.model_copy(update={"read_timeout": _TIME_LIMIT})
    return settings.model_copy(update=update)


def remarks(store: Store) -> list[str]:
    """Return what the operator may not expect, a sentence each."""
    sentences = []
    if store.is_new and not store.is_own:
        sentences.append(f"{store.uri} does not exist yet: a new, empty store is created")
    if store.is_unfinished:
        sentences.append(
            f"{store.uri} was left incomplete by an earlier start: it is created anew"
            if store.is_new
            else f"{store.uri} may contain only a part of the sample: start with --sample to complete it"
        )
    if store.is_read_only:
        sentences.append(f"{store.uri} is read-only: its runs are served, and no experiment is created")
    if names := sorted(set(withheld(os.environ)) - {name for name, _, _ in variables()}):
        sentences.append(f"the local MLflow does not get these variables: {', '.join(names)}")
    return sentences
