"""What the settings mean over a local MLflow: its store, its time limits and the remarks about it."""

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
    def test_a_server_has_no_local_store(self, uri: str) -> None:
        """If MLFLOW_TRACKING_URI is a server's address, there is no local store."""
        assert local_store(make_settings(mlflow_tracking_uri=uri)) is None

    def test_the_default_is_the_services_own_store(self, tmp_path: Path) -> None:
        """Without an address the store is the service's own."""
        store = local_store(make_settings(data_dir=tmp_path))
        assert Store(tmp_path / "mlflow.db", is_own=True, is_new=True) == store

    @pytest.mark.parametrize("uri", ["sqlite:///{}/my%20runs/x.db?timeout=30", "sqlite:///{}/my runs/x.db"])
    def test_an_address_names_the_users_store(self, tmp_path: Path, uri: str) -> None:
        """An address of a store is the user's own store, in each of its spellings."""
        file = make_database(tmp_path / "my runs" / "x.db")
        store = local_store(make_settings(mlflow_tracking_uri=uri.format(tmp_path)))
        assert store is not None
        assert (file, False, False) == (store.path, store.is_own, store.is_new)

    def test_rejects_what_is_not_a_store(self, tmp_path: Path) -> None:
        """A folder that holds something else than a store is a settings error."""
        make_file_store(tmp_path / "mlruns")
        with pytest.raises(SettingsError, match=f"MLFLOW_TRACKING_URI: .*did you mean {tmp_path}/mlruns"):
            local_store(make_settings(mlflow_tracking_uri=str(tmp_path)))


class TestTimeLimits:
    def test_time_limits_are_longer(self) -> None:
        """Over a local store the time limits are longer, because MLflow's file store is slow."""
        changed = settled(make_settings(), STORE)
        assert (60.0, 60.0) == (changed.deadline, changed.upstream.read_timeout)

    def test_set_time_limits_stay(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A time limit that was set stays as it is, even if it is the default."""
        monkeypatch.setenv("TRACKING_DEADLINE", "10")
        monkeypatch.setenv("tracking_upstream__read_timeout", "3")
        changed = settled(make_settings(), STORE)
        assert (10.0, 3.0) == (changed.deadline, changed.upstream.read_timeout)

    def test_other_settings_stay(self) -> None:
        """All other settings stay as they are, but that the store's address becomes absolute."""
        before = make_settings(port=9, upstream={"attempts": 2})
        changed = settled(before, STORE)
        same = changed.model_copy(
            update={"deadline": before.deadline, "upstream": before.upstream, "mlflow_tracking_uri": ""}
        )
        assert "sqlite:////a/mlflow.db" == changed.mlflow_tracking_uri
        assert before == same
        assert 2 == changed.upstream.attempts


class TestSnapshot:
    def test_it_lies_beside_the_store(self, tmp_path: Path) -> None:
        """Over a local store the snapshot of the index lies in the folder that holds the store."""
        changed = settled(make_settings(), Store(tmp_path / "mlflow.db"))
        assert tmp_path == changed.index.snapshot_dir

    def test_a_folder_that_was_named_stays(self, tmp_path: Path) -> None:
        """A folder for the snapshot that was set stays as it is."""
        settings = make_settings(index={"snapshot_dir": tmp_path})
        assert tmp_path == settled(settings, STORE).index.snapshot_dir

    def test_nothing_is_written_beside_a_read_only_store(self, tmp_path: Path) -> None:
        """Beside a store that cannot be written, or in a folder that is not there, there is no snapshot."""
        for store in (Store(tmp_path / "mlflow.db", is_read_only=True), STORE):
            assert settled(make_settings(), store).index.snapshot_dir is None


@pytest.mark.parametrize("is_read_only", [False, True])
def test_no_experiment_is_created_in_a_read_only_store(*, is_read_only: bool) -> None:
    """No experiment is created in a read-only store."""
    changed = settled(make_settings(create_experiment=True), STORE._replace(is_read_only=is_read_only))
    assert (not is_read_only) == changed.create_experiment


class TestRemarks:
    @pytest.mark.parametrize(
        ("store", "expected"),
        [
            (STORE, []),
            (STORE._replace(is_own=True, is_new=True), []),
            (STORE._replace(is_new=True), ["does not exist yet"]),
            (STORE._replace(is_read_only=True), ["is read-only"]),
            (STORE._replace(is_own=True, is_new=True, is_unfinished=True), ["was left incomplete"]),
            (STORE._replace(is_own=True, is_unfinished=True), ["a part of the sample"]),
        ],
    )
    def test_remarks_about_a_store(self, store: Store, expected: list[str]) -> None:
        """Each unexpected property of a store is a remark of one sentence."""
        sentences = remarks(store)
        assert len(expected) == len(sentences)
        assert all(part in sentence for part, sentence in zip(expected, sentences, strict=True))

    def test_variables_that_mlflow_does_not_get(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Variables that the local MLflow does not get are named, without values; settings are not."""
        for name in ("MLFLOW_STATIC_PREFIX", "MLFLOW_X", "MLFLOW_TRACKING_TOKEN", "MLFLOW_EXPERIMENT_NAME"):
            monkeypatch.setenv(name, "s3cret")
        assert ["the local MLflow does not get these variables: MLFLOW_STATIC_PREFIX, MLFLOW_X"] == remarks(
            STORE
        )
