"""The store of config/deploy, started: who gets in, what goes when it is full, and what is on the disk."""

from hashlib import sha256
from pathlib import Path

import pytest
import redis

from tests.api.serving import API, serving
from tests.deploy.store import PASSWORD, USER, started
from tests.fakes.mlflow import FakeMlflow
from tests.store.servers import PROGRAMS

MEGABYTE = 2**20


@pytest.mark.fleet
@pytest.mark.parametrize("program", PROGRAMS)
class TestRunning:
    def test_who_has_no_password_may_only_ask_whether_it_lives(self, program: str, tmp_path: Path) -> None:
        """The probe needs no password; with none, or a wrong one, nothing else is to be had."""
        with started(tmp_path, program) as store:
            stranger = store.connected(None)
            assert stranger.ping()
            with pytest.raises(redis.exceptions.NoPermissionError):
                stranger.get("tracking:v:1")
            with pytest.raises(redis.exceptions.AuthenticationError):
                store.connected("another word").ping()

    def test_the_replicas_keep_to_their_keys(self, program: str, tmp_path: Path) -> None:
        """The replicas' user has the keys of its prefix, and neither others nor the server's own affairs."""
        with started(tmp_path, program) as store:
            replica = store.connected()
            assert replica.set("tracking:v:1", "one", px=60_000)
            assert "one" == replica.get("tracking:v:1")
            for command in (["SET", "another", "1"], ["CONFIG", "GET", "*"], ["KEYS", "*"], ["FLUSHALL"]):
                with pytest.raises(redis.exceptions.NoPermissionError):
                    replica.execute_command(*command)

    def test_a_full_store_lets_answers_go(self, program: str, tmp_path: Path) -> None:
        """Where the memory is full, answers that are asked for least go, and what does not expire stays."""
        with started(tmp_path, program, "--maxmemory", f"{4 * MEGABYTE}") as store:
            replica = store.connected()
            replica.set("tracking:snapshot", "all runs")
            for number in range(2_000):
                assert replica.set(f"tracking:v:{number}", "x" * 4_096, px=600_000)
            assert "all runs" == replica.get("tracking:snapshot")
            assert replica.get("tracking:v:1999") is not None
            assert replica.get("tracking:v:0") is None

    def test_nothing_of_it_is_on_a_disk(self, program: str, tmp_path: Path) -> None:
        """What is kept beside it is the file of users, which has a digest in the password's place."""
        with started(tmp_path, program) as store:
            store.connected().set("tracking:v:1", "one")
            folder = store.folder
        assert ["users.acl"] == [path.name for path in folder.iterdir()]
        users = (folder / "users.acl").read_text("utf-8")
        assert PASSWORD not in users
        assert f"#{sha256(PASSWORD.encode()).hexdigest()}" in users
        assert 0o600 == (folder / "users.acl").stat().st_mode & 0o777

    async def test_replicas_share_answers_by_its_user(
        self, program: str, tmp_path: Path, fake: FakeMlflow
    ) -> None:
        """Replicas with the user and the password of the deployment ask MLflow once for all of them."""
        run_id = fake.add_run()
        with started(tmp_path, program) as store:
            settings = {
                "url": f"redis://127.0.0.1:{store.port}",
                "username": USER,
                "password_file": store.secret,
            }
            async with serving(fake.url, store=settings) as one, serving(fake.url, store=settings) as other:
                async with one.get("/readyz") as answer:
                    assert "attached" == (await answer.json())["store"]
                async with one.get(f"{API}/runs/{run_id}") as first:
                    assert "fwd=miss" in first.headers["Cache-Status"]
                async with other.get(f"{API}/runs/{run_id}") as second:
                    assert await first.json() == await second.json()
        assert 1 == fake.count("runs/get")
