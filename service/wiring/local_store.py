"""What differs over a local MLflow: which store the settings mean, and what holds over it."""

from __future__ import annotations

import os

from service.local.address import ServerAddress, parse
from service.local.environment import withheld
from service.local.store import Store, find_store
from service.settings.load import Settings, SettingsError, is_chosen, variables

_PATIENCE = 60.0  # seconds; MLflow's file store reads every run for each list, 5,000 of them in 16 s


def local_store(settings: Settings) -> Store | None:
    """The store that a local MLflow is started over; None where MLFLOW_TRACKING_URI is a server's address.

    SettingsError where no store is there, but something else that may be meant.
    """
    given = settings.mlflow_tracking_uri
    address = parse(given, os.path.isdir) if given else None
    if isinstance(address, ServerAddress):
        return None
    try:
        return find_store(address, settings.data_dir)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def settled(settings: Settings, store: Store) -> Settings:
    """The settings over a local store: more patience where nobody has chosen how much, and no experiment
    created in a store that is read-only.
    """
    upstream = settings.upstream
    update: dict[str, object] = {"create_experiment": settings.create_experiment and not store.is_read_only}
    if not is_chosen("TRACKING_DEADLINE", settings.deadline):
        update["deadline"] = _PATIENCE
    if not is_chosen("TRACKING_UPSTREAM__READ_TIMEOUT", upstream.read_timeout):
        update["upstream"] = upstream.model_copy(update={"read_timeout": _PATIENCE})
    return settings.model_copy(update=update)


def remarks(store: Store) -> list[str]:
    """What is not as it may have been meant, a sentence each."""
    said = []
    if store.is_new and not store.is_own:
        said.append(f"{store.uri} is not there yet: a new, empty store is made")
    if store.is_unfinished:
        said.append(
            f"{store.uri} was left half made: it is made anew"
            if store.is_new
            else f"{store.uri} may have a part of the sample: a start with --sample completes it"
        )
    if store.is_read_only:
        said.append(f"{store.uri} is read-only: what is there is shown, and no experiment is created")
    if not_given := sorted(set(withheld(os.environ)) - {name for name, _, _ in variables()}):
        said.append(f"the local MLflow is not given {', '.join(not_given)}")
    return said
