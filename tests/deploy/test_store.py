"""The store of config/deploy, started: who gets in, what goes when it is full, and what is on the disk."""

from hashlib import sha256
from pathlib import Path

import pytest
import redis

from service.commands.check_sharing import check_sharing
from service.settings.store import StoreSettings
from tests.api.serving import API, Client, serving
from tests.deploy.balancer import until
from tests.deploy.store import PASSWORD, started
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
            others = ["SET", "another", "1"], ["XREAD", "STREAMS", "another:log", "0"]
            for command in (*others, ["CONFIG", "GET", "*"], ["KEYS", "*"], ["FLUSHALL"], ["SHUTDOWN"]):
                with pytest.raises(redis.exceptions.NoPermissionError):
                    replica.execute_command(*command)

    def test_a_full_store_lets_answers_go(self, program: str, tmp_path: Path) -> None:
        """Where the memory is full, new answers take the place of others, and what does not expire stays."""
        with started(tmp_path, program, "--maxmemory", f"{4 * MEGABYTE}") as store:
            replica = store.connected()
            replica.set("tracking:snapshot", "all runs")
            answers = [f"tracking:v:{number}" for number in range(2_000)]
            for answer in answers:
                assert replica.set(answer, "x" * 4_096, px=600_000)
            assert "all runs" == replica.get("tracking:snapshot")
            assert 0 < 4_096 * replica.exists(*answers) < 4 * MEGABYTE

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
            shared = store.settings
            async with serving(fake.url, store=shared) as one, serving(fake.url, store=shared) as other:
                async with one.get("/readyz") as answer:
                    assert "attached" == (await answer.json())["store"]
                async with one.get(f"{API}/runs/{run_id}") as first:
                    assert "fwd=miss" in first.headers["Cache-Status"]
                async with other.get(f"{API}/runs/{run_id}") as second:
                    assert await first.json() == await second.json()
                    assert second.headers["Cache-Status"].endswith("; detail=shared")
        assert 1 == fake.count("runs/get")

    async def test_what_one_found_of_the_experiment_all_know(
        self, program: str, tmp_path: Path, fake: FakeMlflow
    ) -> None:
        """A replica that has the experiment from the store says what became of it, as the one that asked."""
        with started(tmp_path, program) as store:
            shared = store.settings
            async with serving(fake.url, store=shared) as one, serving(fake.url, store=shared) as other:
                found = []
                for replica in (one, other):
                    async with replica.get("/readyz") as answer:
                        found.append((await answer.json())["experiment"])
                    async with replica.get(f"{API}/runs") as answer:
                        assert 200 == answer.status
                    async with replica.get("/readyz") as answer:
                        found.append((await answer.json())["experiment"])
        assert ["unknown", "ok", "unknown", "ok"] == found
        assert 1 == fake.count("experiments/get-by-name")

    async def test_replicas_share_an_index_by_its_user(
        self, program: str, tmp_path: Path, fake: FakeMlflow
    ) -> None:
        """Replicas with the user of the deployment have one index, and ids of events in common."""
        fake.add_run()

        async def position(replica: Client) -> tuple[int, str] | None:
            """How many runs there are, and the id to go on from; None while the index is not there."""
            accept = {"Accept": "application/json"}
            async with replica.get(f"{API}/events", headers=accept) as answer:
                body = await answer.json()
            return (body["events"][0]["data"]["total"], body["next"]) if answer.status == 200 else None

        with started(tmp_path, program) as store:
            whole = {"store": store.settings, "index": {"enabled": True}}
            async with serving(fake.url, **whole) as one, serving(fake.url, **whole) as other:

                async def is_shared() -> bool:
                    return (await position(one) or "") == await position(other)

                await until(is_shared, "both have the index")
                found = await position(other)
                assert found is not None
                assert 1 == found[0]

    async def test_check_finds_it_of_use(self, program: str, tmp_path: Path) -> None:
        """`check` says that replicas can use it, and what to do where the password is another one."""
        said: list[str] = []
        with started(tmp_path, program) as store:
            assert 0 == await check_sharing(StoreSettings(**store.settings), said.append)
            other = {**store.settings, "password_file": None, "password": "another word"}
            assert 1 == await check_sharing(StoreSettings(**other), said.append)
        assert said[0].startswith("ok  ")
        assert "TRACKING_STORE__PASSWORD" in "".join(said[1:])
