"""What `check` says about the store that replicas share: it is of use, or what is to be done."""

import pytest

from service.settings.load import SettingsError
from tests.commands.test_check import SECRET, SETTINGS, checked
from tests.fakes.mlflow import FakeMlflow
from tests.store.scripted_server import scripted

SHARED = "store of the replicas:"


async def test_a_store_that_is_of_use(fake: FakeMlflow) -> None:
    """What answers, runs scripts and takes writes is good; nothing but the check's own key is written."""
    async with scripted() as server:
        code, lines = await checked(fake.url, store={"url": f"{server.url}/0", "password": SECRET})
        assert [["default", SECRET]] * server.opened == server.logins
        assert {b"tracking:check:beats"} == set(server.keys)
    assert SETTINGS == lines[0]
    assert f"ok  {SHARED} {server.url}/0 answers, runs scripts and takes writes" == lines[1]
    assert lines[2].startswith("ok  MLflow: ")
    assert 0 == code


@pytest.mark.parametrize(
    ("reply", "words", "hint"),
    [
        (b"-READONLY You can't write.\r\n", "readonly: You can't write.", "the address of its primary"),
        (b"-OOM command not allowed.\r\n", "oom: command not allowed.", "its memory is full"),
        (b"-LOADING Redis is loading.\r\n", "loading: Redis is loading.", "try again later"),
        (b"-ERR can't run this command\r\n", "noperm: can't run", "config/deploy/store/users.acl"),
        (b"-WRONGPASS invalid\r\n", "noauth: invalid", "TRACKING_STORE__PASSWORD"),
        (b"-WRONGTYPE a list\r\n", "wrongtype: WRONGTYPE a list", "TRACKING_STORE__PREFIX"),
        (b"HTTP/1.1 400 Bad\r\n", "not_redis: ", "the address of a Valkey or Redis"),
    ],
)
async def test_a_store_that_is_of_no_use(fake: FakeMlflow, reply: bytes, words: str, hint: str) -> None:
    """What is wrong is said in the store's words, and what to do about it; the exit code is 1."""
    async with scripted() as server:
        server.answer = lambda *_: reply
        code, lines = await checked(fake.url, store={"url": server.url})
        assert lines[1].startswith(f"!!  {SHARED} {server.url} cannot be used: {words}")
    assert hint in lines[2]
    assert lines[2].endswith(". Until it is of use, each replica goes on alone")
    assert 1 == code


async def test_a_store_that_is_not_there(fake: FakeMlflow) -> None:
    """An address at which nobody listens is told with the system's words, and without the password."""
    async with scripted() as server:
        await server.stop()
        url = f"redis://ada:{SECRET}@127.0.0.1:{server.port}"
        code, lines = await checked(fake.url, store={"url": url})
    assert lines[1].startswith(f"!!  {SHARED} redis://127.0.0.1:{server.port} cannot be used: unreachable: ")
    assert "rediss:// where it speaks TLS" in lines[2]
    assert 1 == code


async def test_a_store_beside_a_local_mlflow_is_refused() -> None:
    """Replicas that each start an MLflow of their own have nothing to share."""
    with pytest.raises(SettingsError, match=r"^TRACKING_STORE__URL: .* MLFLOW_TRACKING_URI names none"):
        await checked("", store={"url": "redis://127.0.0.1:1"})
