"""What the settings mean over a local MLflow."""

from pathlib import Path

import pytest

from service.local.store import Store
from service.settings.load import SettingsError
from service.wiring.local_store import local_store, remarks, settled
from tests.api.serving import make_settings
from tests.local.stores import make_database, make_file_store

STORE = Store(Path("/a/mlflow.db"))


class TestStore:
    @pytest.mark.parametrize("uri", ["http://h", "https://h:5000/prefix"])
    def test_a_server_needs_none(self, uri: str) -> None:
        """With the address of a server nothing is started."""
        assert local_store(make_settings(mlflow_tracking_uri=uri)) is None

    def test_its_own(self, tmp_path: Path) -> None:
        """Without an address the service's own store is meant."""
        store = local_store(make_settings(data_dir=tmp_path))
        assert Store(tmp_path / "mlflow.db", is_own=True, is_new=True) == store

    @pytest.mark.parametrize("uri", ["sqlite:///{}/my%20runs/x.db?timeout=30", "sqlite:///{}/my runs/x.db"])
    def test_the_users(self, tmp_path: Path, uri: str) -> None:
        """An address is the user's own store, however it is spelt."""
        file = make_database(tmp_path / "my runs" / "x.db")
        store = local_store(make_settings(mlflow_tracking_uri=uri.format(tmp_path)))
        assert store is not None
        assert (file, False, False) == (store.path, store.is_own, store.is_new)

    def test_something_else_is_there(self, tmp_path: Path) -> None:
        """A folder that is no store is a wrong setting."""
        make_file_store(tmp_path / "mlruns")
        with pytest.raises(SettingsError, match=f"MLFLOW_TRACKING_URI: .*did you mean {tmp_path}/mlruns"):
            local_store(make_settings(mlflow_tracking_uri=str(tmp_path)))


class TestPatience:
    def test_it_is_more(self) -> None:
        """MLflow's file store takes long for each list, so there is more time unless somebody chose less."""
        made = settled(make_settings(), STORE)
        assert (60.0, 60.0) == (made.deadline, made.upstream.read_timeout)

    def test_it_is_chosen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is set holds, be it the default."""
        monkeypatch.setenv("TRACKING_DEADLINE", "10")
        monkeypatch.setenv("tracking_upstream__read_timeout", "3")
        made = settled(make_settings(), STORE)
        assert (10.0, 3.0) == (made.deadline, made.upstream.read_timeout)

    def test_nothing_else_changes(self) -> None:
        """All other settings are as they were."""
        before = make_settings(port=9, upstream={"attempts": 2})
        made = settled(before, STORE)
        same = made.model_copy(update={"deadline": before.deadline, "upstream": before.upstream})
        assert before == same
        assert 2 == made.upstream.attempts


@pytest.mark.parametrize("is_read_only", [False, True])
def test_no_experiment_is_created_in_a_read_only_store(*, is_read_only: bool) -> None:
    """The default experiment is created where it can be."""
    made = settled(make_settings(create_experiment=True), STORE._replace(is_read_only=is_read_only))
    assert (not is_read_only) == made.create_experiment


class TestRemarks:
    @pytest.mark.parametrize(
        ("store", "expected"),
        [
            (STORE, []),
            (STORE._replace(is_own=True, is_new=True), []),
            (STORE._replace(is_new=True), ["is not there yet"]),
            (STORE._replace(is_read_only=True), ["is read-only"]),
            (STORE._replace(is_own=True, is_new=True, is_unfinished=True), ["was left half made"]),
            (STORE._replace(is_own=True, is_unfinished=True), ["part of the sample"]),
        ],
    )
    def test_what_is_odd_about_a_store(self, store: Store, expected: list[str]) -> None:
        """What may not be as it was meant is a sentence."""
        said = remarks(store)
        assert len(expected) == len(said)
        assert all(part in sentence for part, sentence in zip(expected, said, strict=True))

    def test_variables_that_mlflow_does_not_get(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Variables of MLflow are named, without their values, but for those that are settings."""
        for name in ("MLFLOW_STATIC_PREFIX", "MLFLOW_X", "MLFLOW_TRACKING_TOKEN", "MLFLOW_EXPERIMENT_NAME"):
            monkeypatch.setenv(name, "s3cret")
        assert ["the local MLflow is not given MLFLOW_STATIC_PREFIX, MLFLOW_X"] == remarks(STORE)
