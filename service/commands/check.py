"""`experiment-tracking check`: whether the service can work with its settings, and what to do if not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence

import aiohttp
from yarl import URL

from service.app import build
from service.commands.check_index import needs_list, report_experiments, report_snapshot, size
from service.commands.check_sharing import check_sharing
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
_SHOWN = 5  # names of experiments, at most


async def check(settings: Settings, unknown: Sequence[str], say: Say, *, patience: float = _PATIENCE) -> int:
    """Report line by line what is good (`ok`), odd (`??`) or bad (`!!`); return 1 if anything is bad, else 0.

    unknown: variables that look like settings but are not. say: called with each line. patience: seconds
    within which MLflow must answer. SettingsError if the service could not start with these settings.
    """
    for name in unknown:
        say(f"??  {name} is not a setting of this service")
    way = connection(settings)
    for remark in way.remarks:
        say(f"{'??' if remark.is_odd else 'ok'}  {remark.text}")
    store = local_store(settings)
    try:
        service = build(
            _once(settings),
            settings.mlflow_tracking_uri if store is None else "http://127.0.0.1",
            access=way.access,
        )
        descriptors = fitted(settings.max_connections, settings.upstream.max_in_flight)
    except (ValueError, OSError) as error:
        raise SettingsError(str(error)) from error
    for warning in filter(None, (*service.warnings, descriptors.warning)):
        say(f"??  {warning}")
    where = ", ".join(at(host, settings.port) for host in settings.hosts)
    say(f"ok  settings: listens on {where}, callers: {_callers(settings)}, index: {size(settings)}")
    report_snapshot(settings, say, is_local=store is not None)
    codes = []
    if settings.auth.mode == "jwt" and settings.auth.jwks_url:
        codes.append(await _check_issuer(settings.auth.jwks_url, say))
    if settings.store.url is not None:
        codes.append(await check_sharing(settings.store, say))
    if store is None:
        async with service.transport:
            codes.append(await _check_mlflow(service.client, settings, way.access, say, patience))
    else:
        codes.append(_check_store(store, say))
    return max(codes)


def _once(settings: Settings) -> Settings:
    """Return the settings without retries: the check reports the first answer of MLflow."""
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
    say(f"ok  callers: {url} publishes keys")
    return 0


def _of_issuer(failure: BaseException | None, url: URL) -> str:
    if not isinstance(failure, aiohttp.ClientError | OSError):
        reason = f"{failure}; " if failure else ""
        return f"{reason}is TRACKING_AUTH__JWKS_URL right, and can this host reach it? try: curl -i {url}"
    proxy, bundle = proxy_for(url, os.environ), authorities(os.environ)
    place = Place(
        url,
        proxy="" if proxy is None else proxy.shown,
        bundle="" if bundle is None else bundle[0],
        setting="TRACKING_AUTH__JWKS_URL",
        for_ca="REQUESTS_CA_BUNDLE",
        path="",
    )
    return of_connection(failure, place)


def _check_store(store: Store, say: Say) -> int:
    mlflow = installed_mlflow()
    if mlflow is None:
        say(f"!!  MLflow: {store.uri} needs a local MLflow, which is not installed")
        say("    set MLFLOW_TRACKING_URI, or: pip install 'experiment-tracking[embedded]'")
        return 1
    say(f"ok  MLflow: {mlflow.version} is installed")
    try:
        examined_store = examined(store, mlflow)
    except LocalError as error:
        say(f"!!  store: {error}")
        return 1
    for remark in remarks(examined_store):
        say(f"??  store: {remark}")
    path = examined_store.path
    if not examined_store.is_new:
        is_file_store = examined_store.is_file_store
        kind = "a file store of MLflow" if is_file_store else "a SQLite store with the schema of this MLflow"
        say(f"ok  store: {path} is {kind}")
    elif examined_store.is_own:
        say(f"ok  store: {path} will be created at the first start")
    say(f"ok  MLflow: the service will start a local MLflow over {store.uri}")
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
        problem = f"does not answer in time: no answer within {patience:g} s"
    except UpstreamTimeout as error:
        problem = f"does not answer in time: {error.cause}"
    except UpstreamAuth as error:
        problem = f"refuses the service: {error.cause}"
        hints = await _hints(error, settings, access)
    except UpstreamUnavailable as error:
        problem = f"cannot be used: {error.cause}"
        hints = ["it gets too many requests: find out from whom, or try again later"]
    except UpstreamFailure as error:
        problem = f"cannot be used: {error.cause}"
        hints = await _hints(error, settings, access)
    say(f"!!  MLflow: {url} {problem}")
    for hint in hints or [f"is it overloaded, or is the network slow? try: curl -i {url}/health"]:
        say(f"    {hint}")
    return 1


async def _hints(error: UpstreamFailure, settings: Settings, access: Access) -> list[str]:
    """Return what to do: judged by the failure if there was no answer, else by what plain requests show."""
    url, cause = URL(settings.mlflow_tracking_uri), error.__cause__
    place = Place(
        url,
        proxy="" if access.proxy is None else str(access.proxy.origin()),
        bundle=_bundle(settings),
        workspace=settings.mlflow_workspace or "",
    )
    is_without_answer = isinstance(cause, aiohttp.ClientError | OSError)
    if is_without_answer and not (url.scheme == "http" and access.proxy is None and await speaks_tls(url)):
        return [of_connection(cause, place)]
    if is_without_answer:
        return of_answer(Look(is_tls=True), place)
    looks = (look(url, API, access), look(url, HEALTH, access), look(url.origin(), API, access))
    return of_answer(Look(*await asyncio.gather(*looks)), place)


def _bundle(settings: Settings) -> str:
    if settings.mlflow_tracking_server_cert_path:
        return "MLFLOW_TRACKING_SERVER_CERT_PATH"
    bundle = authorities(os.environ)
    return "" if bundle is None else bundle[0]


async def _check_experiment(client: MlflowClient, settings: Settings, say: Say) -> int:
    name = settings.mlflow_experiment_name
    experiment = (await client.answer(GetExperiment(name))).value
    if experiment is None or not experiment.is_active:
        others = (
            await client.answer(ListExperiments())
        ).value  # before the line below: the workspace may not exist
        say(f"ok  MLflow: {settings.mlflow_tracking_uri.rstrip('/')} answers")
        return _report_missing(settings, experiment, [other.name for other in others], say)
    say(f"ok  MLflow: {settings.mlflow_tracking_uri.rstrip('/')} answers")
    identifier = os.environ.get("MLFLOW_EXPERIMENT_ID", "")
    if identifier not in {"", experiment.experiment_id}:
        say(f"??  experiment: {contradiction(experiment, identifier)}")
    runs = (await client.answer(ListRuns(experiment.experiment_id, None, None, 1))).value
    newest = f"newest run {runs[0].run_id}" if runs else "no runs yet"
    say(f"ok  experiment: {name!r} has id {experiment.experiment_id}; {newest}")
    if needs_list(settings):
        report_experiments(settings, (await client.answer(ListExperiments())).value, say)
    return 0


def _report_missing(settings: Settings, deleted: Experiment | None, names: Sequence[str], say: Say) -> int:
    """Report that the experiment is missing or deleted, and what to set instead; return the exit code."""
    name = settings.mlflow_experiment_name
    similar = resembling(name, names)
    if deleted is None and settings.create_experiment:
        say(f"ok  experiment: {name!r} does not exist; the service will create it at start")
        if similar:
            say(f"??  experiment: MLflow has {similar!r}; to use it, set MLFLOW_EXPERIMENT_NAME to that")
        return 0
    say(f"!!  experiment: {name!r} {'does not exist' if deleted is None else 'is deleted'}")
    restore = f"restore it (mlflow experiments restore -x {deleted.experiment_id}), or " if deleted else ""
    sorted_names = [*([similar] if similar else []), *(other for other in names if other != similar)]
    if names:
        more = ", …" if len(names) > _SHOWN else ""
        say(f"    {restore}set MLFLOW_EXPERIMENT_NAME to one of: {', '.join(sorted_names[:_SHOWN])}{more}")
    elif deleted is None:
        say("    MLflow has no experiments; set TRACKING_CREATE_EXPERIMENT=true to create this one")
    else:
        say(f"    {restore}set MLFLOW_EXPERIMENT_NAME to another name, and TRACKING_CREATE_EXPERIMENT=true")
    return 1
