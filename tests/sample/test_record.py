"""Against MLflow's own SQLite store, in this process: the client is the one that asks a server, too."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from mlflow import MlflowClient

from service.local.sample.__main__ import main
from service.local.sample.record import NotEmptyError, WriteError, connect, record
from service.local.sample.runs import SampleRun
from tests.sample.store import ignore, stored

# SQLAlchemy deprecates a loader that MLflow's models still use.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated"),
    pytest.mark.usefixtures("own_environment"),
]

NOWHERE = "http://reader:secret@127.0.0.1:1"  # port 1 refuses every connection


def test_every_run_is_stored_as_it_was_decided(
    client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
) -> None:
    """Names, states, times, tags, parameters and metrics read back as written, NaN and no end included."""
    record(client, experiment_name, runs, ignore)
    run_ids = stored(client, experiment_name)
    assert len(runs) == len(run_ids)
    by_start: dict[int, str] = {}
    for run, run_id in zip(runs, run_ids, strict=True):
        found = client.get_run(run_id)
        assert (run.name, run.status) == (found.info.run_name, found.info.status)
        assert (run.start_time, run.end_time) == (found.info.start_time, found.info.end_time)
        by_start[run.start_time] = run_id
        parent = {} if run.parent is None else {"mlflow.parentRunId": by_start[run.parent]}
        assert {**run.tags, **parent, "mlflow.runName": run.name} == found.data.tags
        assert run.params == found.data.params
        expected = {point.key: point.value for point in run.metrics}
        assert pytest.approx(expected, rel=0, abs=0, nan_ok=True) == found.data.metrics


def test_every_step_of_a_series_is_stored(
    client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
) -> None:
    """A metric's history has each fold's value at its step and time."""
    walked = next(run for run in runs if run.name == "walk_forward" and run.parent is None)
    record(client, experiment_name, [walked], ignore)
    (run_id,) = stored(client, experiment_name)
    history = client.get_metric_history(run_id, "fold_oos_sharpe")
    expected = [(p.step, p.timestamp, p.value) for p in walked.metrics if p.key == "fold_oos_sharpe"]
    assert expected == [(point.step, point.timestamp, point.value) for point in history]


def test_progress_is_told_after_each_run(
    client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
) -> None:
    """Three runs are three calls."""
    told: list[int] = []
    record(client, experiment_name, runs[:3], told.append)
    assert told == [1, 2, 3]


def test_an_empty_experiment_gets_the_sample(
    client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
) -> None:
    """An experiment that exists without runs is used as it is."""
    client.create_experiment(experiment_name)
    record(client, experiment_name, runs[:1], ignore)
    assert len(stored(client, experiment_name)) == 1


def test_an_experiment_with_a_run_is_left_alone(
    client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
) -> None:
    """One run of somebody's own is enough for nothing to be written."""
    client.create_run(client.create_experiment(experiment_name))
    with pytest.raises(NotEmptyError, match="has runs already"):
        record(client, experiment_name, runs, ignore)
    assert len(stored(client, experiment_name)) == 1


def test_a_deleted_run_counts_as_a_run(
    client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
) -> None:
    """Whoever has deleted the sample does not get it again."""
    client.delete_run(client.create_run(client.create_experiment(experiment_name)).info.run_id)
    with pytest.raises(NotEmptyError, match="has runs already"):
        record(client, experiment_name, runs, ignore)


def test_a_deleted_experiment_is_left_alone(
    client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
) -> None:
    """A deleted experiment keeps its name, so nothing can be written under it."""
    client.delete_experiment(client.create_experiment(experiment_name))
    with pytest.raises(NotEmptyError, match="is deleted"):
        record(client, experiment_name, runs, ignore)


class TestResumed:
    @pytest.fixture
    def broken_off(self, client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]) -> str:
        """The run of a sample that broke off in its third run, which has no metrics and no end."""
        record(client, experiment_name, runs[:2], ignore)
        experiment = client.get_experiment_by_name(experiment_name)
        begun = client.create_run(
            experiment.experiment_id, runs[2].start_time, dict(runs[2].tags), runs[2].name
        )
        return str(begun.info.run_id)

    def test_what_is_missing_is_written(
        self, client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...], broken_off: str
    ) -> None:
        """Each run is there once, as it was decided, and so is each step of its metrics."""
        own = client.create_run(client.get_experiment_by_name(experiment_name).experiment_id, start_time=1)
        record(client, experiment_name, runs[:8], ignore, resume=True)
        of_user, *run_ids = stored(client, experiment_name)
        assert own.info.run_id == of_user
        assert broken_off == run_ids[2]
        assert 8 == len(run_ids)
        for run, run_id in zip(runs, run_ids, strict=False):
            found = client.get_run(run_id)
            assert (run.name, run.status) == (found.info.run_name, found.info.status)
            assert (run.start_time, run.end_time) == (found.info.start_time, found.info.end_time)
            assert run.params == found.data.params
            for key in {point.key for point in run.metrics}:
                steps = [point.step for point in run.metrics if point.key == key]
                assert steps == [point.step for point in client.get_metric_history(run_id, key)]

    @pytest.mark.usefixtures("broken_off")
    def test_what_was_deleted_stays_so(
        self, client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
    ) -> None:
        """Whoever has deleted a run of the sample does not get it again."""
        first, *_ = stored(client, experiment_name)
        client.delete_run(first)
        record(client, experiment_name, runs[:3], ignore, resume=True)
        assert 2 == len(stored(client, experiment_name))

    def test_nothing_is_there_yet(
        self, client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
    ) -> None:
        """A sample that had not begun is written."""
        record(client, experiment_name, runs[:1], ignore, resume=True)
        assert 1 == len(stored(client, experiment_name))

    def test_a_deleted_experiment(
        self, client: MlflowClient, experiment_name: str, runs: tuple[SampleRun, ...]
    ) -> None:
        """A deleted experiment is left alone here, too."""
        client.delete_experiment(client.create_experiment(experiment_name))
        with pytest.raises(NotEmptyError, match="is deleted"):
            record(client, experiment_name, runs, ignore, resume=True)

    def test_the_command(
        self, address: str, experiment_name: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """--resume logs all runs, and once more does no harm."""
        for _ in range(2):
            assert main(["--resume", address, experiment_name]) == 0
            assert capsys.readouterr().out.endswith("sample: logged 73 of 73 runs\n")
        assert 73 == len(stored(connect(address), experiment_name))

    def test_ctrl_c(self, address: str, experiment_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ctrl-C ends the command with 130, as shells have it, and without a traceback."""

        def interrupted(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(MlflowClient, "log_batch", interrupted)
        assert main([address, experiment_name]) == 130


def test_an_mlflow_that_cannot_be_reached_is_an_error_without_a_password(runs: tuple[SampleRun, ...]) -> None:
    """The message says where MLflow was looked for, without what stands before the @."""
    with pytest.raises(WriteError, match=r"127\.0\.0\.1") as caught:
        record(connect(NOWHERE), "research", runs, ignore)
    assert "secret" not in str(caught.value)


def test_the_command_logs_once(
    address: str, experiment_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first call prints its progress, the second that there was nothing to do; both end well."""
    assert main([address, experiment_name]) == 0
    expected = [f"sample: logged {number} of 73 runs" for number in (10, 20, 30, 40, 50, 60, 70, 73)]
    assert expected == capsys.readouterr().out.splitlines()
    assert main([address, experiment_name]) == 0
    assert (
        f"sample: nothing logged, experiment '{experiment_name}' has runs already\n"
        == capsys.readouterr().out
    )


def test_the_command_fails_where_mlflow_does(capsys: pytest.CaptureFixture[str]) -> None:
    """Without an MLflow the command says so on standard error and exits with 1."""
    assert main([NOWHERE, "research"]) == 1
    assert capsys.readouterr().err.startswith("sample: MLflow failed: ")


def test_the_command_says_that_mlflow_refuses_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """MLflow writes to folders only where MLFLOW_ALLOW_FILE_STORE is set, and the command says so."""
    os.environ.pop("MLFLOW_ALLOW_FILE_STORE", None)
    assert main([(tmp_path / "mlruns").as_uri(), "research"]) == 1
    assert "MLFLOW_ALLOW_FILE_STORE" in capsys.readouterr().err
