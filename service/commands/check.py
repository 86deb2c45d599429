"""`experiment-tracking check`: whether the service would find what it needs, and what to do if not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence

import aiohttp
from yarl import URL

from service.app import CLIENT, DOOR, WARNINGS, create_app
from service.commands.descriptors import fitted
from service.errors import (
    AuthUnavailable,
    UpstreamAuth,
    UpstreamFailure,
    UpstreamForbidden,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from service.hosts import at
from service.local.installed import LocalError, examined, installed_mlflow
from service.local.store import Store
from service.outbound import authorities, proxy_for
from service.settings.load import Settings, SettingsError
from service.tracking.questions import GetExperiment, ListExperiments, ListRuns
from service.tracking.runs import Experiment
from service.upstream.access import Access
from service.upstream.client import MlflowClient
from service.upstream.diagnosis import Look, of_answer
from service.upstream.experiment import resembling
from service.upstream.probe import API, HEALTH, look, speaks_tls
from service.upstream.unreachable import Place, of_connection
from service.upstream.watched_experiment import advice, contradiction
from service.wiring.authentication import issuer
from service.wiring.connection import connection
from service.wiring.local_store import local_store, remarks

Say = Callable[[str], object]

_PATIENCE = 5.0  # seconds
_SHOWN = 5  # names of experiments


async def check(settings: Settings, unknown: Sequence[str], say: Say, *, patience: float = _PATIENCE) -> int:
    """Say line by line what is good (`ok`), odd (`??`) and bad (`!!`); 0 where nothing is bad, else 1.

    unknown: variables that are no settings. patience: seconds for all that MLflow is asked. SettingsError
    where a file that a setting names is not what it should be.
    """
    for name in unknown:
        say(f"??  {name} is no setting of this service")
    way = connection(settings)
    for remark in way.remarks:
        say(f"{'??' if remark.is_odd else 'ok'}  {remark.text}")
    store = local_store(settings)
    try:
        app = create_app(
            _once(settings),
            settings.mlflow_tracking_uri if store is None else "http://127.0.0.1",
            access=way.access,
        )
        descriptors = fitted(settings.max_connections, settings.upstream.max_in_flight)
    except (ValueError, OSError) as error:
        raise SettingsError(str(error)) from error
    for warning in filter(None, (*app[WARNINGS], descriptors.warning)):
        say(f"??  {warning}")
    where = ", ".join(at(host, settings.port) for host in settings.hosts)
    say(f"ok  settings: listens on {where}, callers: {_callers(settings)}")
    codes = []
    if settings.auth.mode == "jwt" and settings.auth.jwks_url:
        codes.append(await _check_issuer(settings.auth.jwks_url, say))
    if store is None:
        async with app[DOOR]:
            codes.append(await _check_mlflow(app[CLIENT], settings, way.access, say, patience))
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
    async with issuer(url, os.environ) as keys:
        try:
            await keys.find("", None)
        except AuthUnavailable as error:
            say(f"!!  callers: {error.cause}")
            say(f"    {_of_issuer(error.__cause__, URL(url))}")
            return 1
    say(f"ok  callers: {url} has keys")
    return 0


def _of_issuer(failure: BaseException | None, url: URL) -> str:
    if not isinstance(failure, aiohttp.ClientError | OSError):
        why = f"{failure}; " if failure else ""
        return f"{why}is TRACKING_AUTH__JWKS_URL right, and does this host reach it? try: curl -i {url}"
    proxy, found = proxy_for(url, os.environ), authorities(os.environ)
    place = Place(
        url,
        proxy="" if proxy is None else proxy.shown,
        bundle="" if found is None else found[0],
        setting="TRACKING_AUTH__JWKS_URL",
        for_ca="REQUESTS_CA_BUNDLE",
        path="",
    )
    return of_connection(failure, place)


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


async def _check_mlflow(
    client: MlflowClient, settings: Settings, access: Access, say: Say, patience: float
) -> int:
    url = settings.mlflow_tracking_uri.rstrip("/")
    hints: list[str] = []
    try:
        async with asyncio.timeout(patience):
            return await _check_experiment(client, settings, say)
    except UpstreamForbidden:
        say(f"ok  MLflow: {url} answers")
        say(f"!!  experiment: {advice(settings.mlflow_experiment_name, 'forbidden')}")
        return 1
    except TimeoutError:
        said = f"does not answer in time: nothing within {patience:g} s"
    except UpstreamTimeout as error:
        said = f"does not answer in time: {error.cause}"
    except UpstreamAuth as error:
        said = f"refuses the service: {error.cause}"
        hints = await _hints(error, settings, access)
    except UpstreamUnavailable as error:
        said = f"cannot be used: {error.cause}"
        hints = ["it is asked too much: by whom? ask again later"]
    except UpstreamFailure as error:
        said = f"cannot be used: {error.cause}"
        hints = await _hints(error, settings, access)
    say(f"!!  MLflow: {url} {said}")
    for hint in hints or [f"is it overloaded, or its network slow? try: curl -i {url}/health"]:
        say(f"    {hint}")
    return 1


async def _hints(error: UpstreamFailure, settings: Settings, access: Access) -> list[str]:
    """What to do, by the failure itself where there was no answer, else by what a plain look shows."""
    url, cause = URL(settings.mlflow_tracking_uri), error.__cause__
    place = Place(
        url,
        proxy="" if access.proxy is None else str(access.proxy.origin()),
        bundle=_bundle(settings),
        workspace=settings.mlflow_workspace or "",
    )
    is_unheard = isinstance(cause, aiohttp.ClientError | OSError)
    if is_unheard and not (url.scheme == "http" and access.proxy is None and await speaks_tls(url)):
        return [of_connection(cause, place)]
    if is_unheard:
        return of_answer(Look(is_tls=True), place)
    looks = (look(url, API, access), look(url, HEALTH, access), look(url.origin(), API, access))
    return of_answer(Look(*await asyncio.gather(*looks)), place)


def _bundle(settings: Settings) -> str:
    if settings.mlflow_tracking_server_cert_path:
        return "MLFLOW_TRACKING_SERVER_CERT_PATH"
    found = authorities(os.environ)
    return "" if found is None else found[0]


async def _check_experiment(client: MlflowClient, settings: Settings, say: Say) -> int:
    name = settings.mlflow_experiment_name
    experiment = (await client.answer(GetExperiment(name))).value
    if experiment is None or not experiment.is_active:
        names = [
            one.name for one in (await client.answer(ListExperiments())).value
        ]  # a workspace may not be there
        say(f"ok  MLflow: {settings.mlflow_tracking_uri.rstrip('/')} answers")
        return _say_what_there_is(settings, experiment, names, say)
    say(f"ok  MLflow: {settings.mlflow_tracking_uri.rstrip('/')} answers")
    identifier = os.environ.get("MLFLOW_EXPERIMENT_ID", "")
    if identifier not in {"", experiment.experiment_id}:
        say(f"??  experiment: {contradiction(experiment, identifier)}")
    found = (await client.answer(ListRuns(experiment.experiment_id, None, None, 1))).value
    newest = f"newest {found[0].run_id}" if found else "no runs yet"
    say(f"ok  experiment: {name!r} is {experiment.experiment_id}; {newest}")
    return 0


def _say_what_there_is(settings: Settings, given: Experiment | None, names: Sequence[str], say: Say) -> int:
    name = settings.mlflow_experiment_name
    meant = resembling(name, names)
    if given is None and settings.create_experiment:
        say(f"ok  experiment: {name!r} is not there, and is created when the service starts")
        if meant:
            say(f"??  experiment: MLflow has {meant!r}: is that meant? it goes into MLFLOW_EXPERIMENT_NAME")
        return 0
    say(f"!!  experiment: {name!r} is {'not there' if given is None else 'deleted'}")
    first = "" if given is None else f"restore it (mlflow experiments restore -x {given.experiment_id}), or "
    listed = [*([meant] if meant else []), *(one for one in names if one != meant)]
    if names:
        more = ", …" if len(names) > _SHOWN else ""
        say(f"    {first}set MLFLOW_EXPERIMENT_NAME to one of: {', '.join(listed[:_SHOWN])}{more}")
    elif given is None:
        say("    MLflow has no experiment; TRACKING_CREATE_EXPERIMENT=true creates this one")
    else:
        say(f"    {first}set MLFLOW_EXPERIMENT_NAME to another name, and TRACKING_CREATE_EXPERIMENT=true")
    return 1
