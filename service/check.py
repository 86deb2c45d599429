"""`experiment-tracking check`: whether the service would find what it needs, and what to do if not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from service.app import CLIENT, DOOR, create_app
from service.errors import AuthUnavailable, UpstreamAuth, UpstreamFailure, UpstreamTimeout
from service.local.installed import LocalError, examined, installed_mlflow
from service.local.store import Store
from service.locally import local_store, remarks
from service.settings import Settings, SettingsError
from service.tracking.runs import Experiment, RunQuestion
from service.upstream.client import MlflowClient

Say = Callable[[str], object]

_PATIENCE = 5.0  # seconds
_CREDENTIALS = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
_SHOWN = 5  # names of experiments


async def check(settings: Settings, unknown: Sequence[str], say: Say, *, patience: float = _PATIENCE) -> int:
    """Say line by line what is good (`ok`), odd (`??`) and bad (`!!`); 0 where nothing is bad, else 1.

    unknown: variables that are no settings. patience: seconds for all that MLflow is asked. SettingsError
    where a file that a setting names is not what it should be.
    """
    for name in unknown:
        say(f"??  {name} is no setting of this service")
    store = local_store(settings)
    try:
        app = create_app(
            _once(settings), settings.mlflow_tracking_uri if store is None else "http://127.0.0.1"
        )
    except (ValueError, OSError) as error:
        raise SettingsError(str(error)) from error
    say(f"ok  settings: listens on {settings.host}:{settings.port}, callers: {_callers(settings)}")
    codes = []
    if settings.auth.mode == "jwt" and settings.auth.jwks_url:
        codes.append(await _check_issuer(settings.auth.jwks_url, say))
    if store is None:
        async with app[DOOR]:
            codes.append(await _check_mlflow(app[CLIENT], settings, say, patience))
    else:
        codes.append(_check_store(store, say))
    return max(codes)


def _once(settings: Settings) -> Settings:
    """Each call made once: what MLflow says first is what is wanted here."""
    return settings.model_copy(update={"upstream": settings.upstream.model_copy(update={"attempts": 1})})


def _callers(settings: Settings) -> str:
    if settings.auth.mode != "none":
        return settings.auth.mode
    return "anybody" if settings.allow_anonymous else "anybody on this machine"


async def _check_issuer(url: str, say: Say) -> int:
    from service.auth.key_sets import KeyUrl  # noqa: PLC0415 - needs the extra, which is there

    async with KeyUrl(url) as keys:
        try:
            await keys.find("", None)
        except AuthUnavailable as error:
            say(f"!!  callers: {error.cause}")
            say(f"    is TRACKING_AUTH__JWKS_URL right, and does this host reach it? try: curl -i {url}")
            return 1
    say(f"ok  callers: {url} has keys")
    return 0


def _check_store(store: Store, say: Say) -> int:
    mlflow = installed_mlflow()
    if mlflow is None:
        say(f"!!  MLflow: a local one over {store.uri} is meant, and is not installed")
        say("    set MLFLOW_TRACKING_URI, or: pip install 'experiment-tracking[embedded]'")
        return 1
    say(f"ok  MLflow: {mlflow.version} is installed")
    try:
        found = examined(store, mlflow)
    except LocalError as error:
        say(f"!!  store: {error}")
        return 1
    for remark in remarks(found):
        say(f"??  store: {remark}")
    if not found.is_new:
        kind = "MLflow's file store" if found.is_file_store else "a SQLite store of this MLflow's schema"
        say(f"ok  store: {found.path} is {kind}")
    elif found.is_own:
        say(f"ok  store: {found.path} is made at the first start")
    say(f"ok  MLflow: a local one is started over {store.uri}")
    return 0


async def _check_mlflow(client: MlflowClient, settings: Settings, say: Say, patience: float) -> int:
    url = settings.mlflow_tracking_uri.rstrip("/")
    try:
        async with asyncio.timeout(patience):
            return await _check_experiment(client, settings, say)
    except UpstreamAuth as error:
        say(f"!!  MLflow: {url} refuses the service: {error.cause}")
        say(f"    set {_CREDENTIALS};")
        say(
            "    a 403 may also mean that MLflow does not know this host: see its MLFLOW_SERVER_ALLOWED_HOSTS"
        )
        return 1
    except TimeoutError:
        said = f"does not answer in time: nothing within {patience:g} s"
    except UpstreamTimeout as error:
        said = f"does not answer in time: {error.cause}"
    except UpstreamFailure as error:
        said = f"cannot be used: {error.cause}"
    say(f"!!  MLflow: {url} {said}")
    say(f"    is MLFLOW_TRACKING_URI right, and does this host reach it? try: curl -i {url}/health")
    return 1


async def _check_experiment(client: MlflowClient, settings: Settings, say: Say) -> int:
    name = settings.mlflow_experiment_name
    experiment = (await client.experiment(name)).value
    say(f"ok  MLflow: {settings.mlflow_tracking_uri.rstrip('/')} answers")
    if experiment is None and settings.create_experiment:
        say(f"ok  experiment: {name!r} is not there, and is created when the service starts")
        return 0
    if experiment is None or not experiment.is_active:
        await _say_what_there_is(client, name, experiment, say)
        return 1
    found = (await client.search(RunQuestion(experiment.experiment_id, None, None, 1))).value
    newest = f"newest {found[0].run_id}" if found else "no runs yet"
    say(f"ok  experiment: {name!r} is {experiment.experiment_id}; {newest}")
    return 0


async def _say_what_there_is(client: MlflowClient, name: str, given: Experiment | None, say: Say) -> None:
    say(f"!!  experiment: {name!r} is {'not there' if given is None else 'deleted'}")
    names = [one.name for one in (await client.experiments()).value]
    if names:
        more = ", …" if len(names) > _SHOWN else ""
        say(f"    set MLFLOW_EXPERIMENT_NAME to one of: {', '.join(names[:_SHOWN])}{more}")
    else:
        say("    MLflow has no experiment; TRACKING_CREATE_EXPERIMENT=true creates this one")
