"""`experiment-tracking check`: what it says about the index."""

from pathlib import Path
from typing import Any

import pytest

from service.settings.load import SettingsError
from tests.commands.test_check import checked
from tests.fakes.mlflow import FakeMlflow


async def lines_of(mlflow_url: str, **index: Any) -> list[str]:
    """The lines about the index, with these settings of it."""
    code, lines = await checked(mlflow_url, index={"enabled": True, **index})
    assert 0 == code
    return [line for line in lines if "index: " in line]


async def test_tells_how_large_it_may_be(fake: FakeMlflow) -> None:
    """Bytes, and about how many runs these are, stand in the line of settings."""
    settings, snapshot = await lines_of(fake.url, max_bytes=2**30)
    assert settings.endswith(", index: at most 1,024 MiB, about 1,000,000 runs")
    assert snapshot.startswith("ok  index: each start reads every run; TRACKING_INDEX__SNAPSHOT_DIR would ")


async def test_tells_where_the_snapshot_lies(fake: FakeMlflow, tmp_path: Path) -> None:
    """A folder that can be written is an ok line."""
    _, snapshot = await lines_of(fake.url, snapshot_dir=tmp_path)
    assert f"ok  index: its snapshot lies in {tmp_path}, which can be written" == snapshot


async def test_tells_that_a_local_snapshot_lies_beside_the_store(tmp_path: Path) -> None:
    """Over a local store no folder need be named."""
    _, lines = await checked("", data_dir=tmp_path, index={"enabled": True})
    assert "ok  index: its snapshot lies beside the store" in lines


async def test_a_folder_that_cannot_be_written_stops_it(fake: FakeMlflow, tmp_path: Path) -> None:
    """As the service would, the check refuses such a folder, and says what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"^TRACKING_INDEX__SNAPSHOT_DIR: .* leave it out"):
        await lines_of(fake.url, snapshot_dir=tmp_path / "file")


async def test_names_the_experiments(fake: FakeMlflow) -> None:
    """Those that MLflow has are an ok line; a name that it does not have is an odd one."""
    fake.add_experiment("alpha")
    *_, held, missing = await lines_of(fake.url, experiments="Default,alpha,beta")
    assert "ok  index: holds 'Default', 'alpha'" == held
    assert "??  index: TRACKING_INDEX__EXPERIMENTS names 'beta', and MLflow has no such experiment" == missing


async def test_every_experiment(fake: FakeMlflow) -> None:
    """With * the check says how many experiments that is now."""
    fake.add_experiment("alpha")
    *_, held = await lines_of(fake.url, experiments="*")
    assert "ok  index: holds every experiment, 2 of them now" == held


async def test_the_default_experiment_should_be_among_them(fake: FakeMlflow) -> None:
    """Where the default experiment is not indexed, searches that name none find nothing there."""
    fake.add_experiment("alpha")
    *_, odd = await lines_of(fake.url, experiments="alpha")
    assert "??  index: TRACKING_INDEX__EXPERIMENTS does not name 'Default', the default experiment" == odd


async def test_a_long_list_is_cut(fake: FakeMlflow) -> None:
    """Of many names the first five are shown."""
    names = [f"e{number}" for number in range(8)]
    for name in names:
        fake.add_experiment(name)
    lines = await lines_of(fake.url, experiments=",".join(["Default", *names]))
    assert "ok  index: holds 'Default', 'e0', 'e1', 'e2', 'e3' and 4 more" == lines[-1]
