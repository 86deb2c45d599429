"""What the settings of the index mean: which runs it holds, and where its snapshot lies."""

from pathlib import Path

import pytest

from service.app import build
from service.index.snapshot import NAME
from service.settings.load import Settings
from service.wiring.index import Indexing
from tests.api.serving import make_settings

URL = "http://127.0.0.1:9"


def built(settings: Settings) -> Indexing:
    """The index of the service with these settings."""
    indexing = build(settings, URL).indexing
    assert indexing is not None
    return indexing


def test_without_an_index_nothing_is_built() -> None:
    """Where it is switched off, the service has no index."""
    assert build(make_settings(index={"enabled": False}), URL).indexing is None


def test_a_snapshot_is_kept_where_a_folder_is_named(tmp_path: Path) -> None:
    """The folder is made where it does not exist; without one there is no snapshot."""
    folder = tmp_path / "a" / "b"
    assert built(make_settings(index={"enabled": True})).snapshot is None
    assert built(make_settings(index={"snapshot_dir": folder})).snapshot is not None
    assert [] == list(folder.iterdir())


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A folder that cannot be made is an error that names the setting, the reason, and what to do."""
    (tmp_path / NAME).write_text("a file")
    with pytest.raises(ValueError, match="Not a directory") as caught:
        build(make_settings(index={"snapshot_dir": tmp_path / NAME / "x"}), URL)
    message = str(caught.value)
    assert message.startswith(f"TRACKING_INDEX__SNAPSHOT_DIR: {tmp_path / NAME / 'x'} cannot be written: ")
    assert "name a folder in which the service may create files, or leave it out" in message
