"""A token for MLflow in a file that is read again."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.errors import UpstreamAuth
from service.upstream.access import Access
from service.upstream.token_file import TokenFile, read_token
from service.upstream.transport import Limits, MlflowTransport
from tests.fakes.mlflow import FakeMlflow
from tests.upstream.test_transport import knock


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("one\n")
    return file


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("content", [b"one", b"one\n", b"one\r\n", b" one \n\n", b"\xef\xbb\xbfone\n"])
def test_strips_what_stands_around_a_token(file: Path, content: bytes) -> None:
    """Line ends, spaces and a byte order mark around a token are not part of it."""
    file.write_bytes(content)
    assert "one" == read_token(file)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"one\ntwo", b"one two", b"on\xff", "é".encode(), b"x" * 65_537]
)
def test_rejects_files_without_one_token(file: Path, content: bytes) -> None:
    """An empty file, several lines, or text that no header can hold is an error that names the file alone."""
    file.write_bytes(content)
    with pytest.raises(ValueError, match="token: ") as caught:
        TokenFile(file)
    assert "one" not in str(caught.value).removeprefix(str(file)).replace("one token", "")


def test_reads_the_file_again_after_a_second(file: Path) -> None:
    """A new token is sent within a second, and the file is not read for each call."""
    clock = Clock()
    token = TokenFile(file, clock)
    file.write_text("two\n")
    clock.now = 0.9
    assert bearer("one") == token.header()
    clock.now = 1.1
    assert bearer("two") == token.header()


def test_follows_a_link_that_is_swapped(tmp_path: Path) -> None:
    """The new token is found where Kubernetes swaps a link to a link."""
    for number, content in enumerate(["one", "two"]):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "token").write_text(content)
    (tmp_path / "..data").symlink_to("..0")
    (tmp_path / "token").symlink_to("..data/token")
    token = TokenFile(tmp_path / "token", Clock())
    (tmp_path / "..new").symlink_to("..1")
    (tmp_path / "..new").rename(tmp_path / "..data")
    token.renew()
    assert bearer("two") == token.header()


@pytest.mark.parametrize("trouble", ["gone", "empty", "rubbish"])
def test_keeps_the_last_token_of_a_broken_file(
    file: Path, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    """The last token stays in use, the log says so once, and a file that is valid again counts."""
    clock = Clock()
    token = TokenFile(file, clock)
    if trouble == "gone":
        file.unlink()
    else:
        file.write_text("" if trouble == "empty" else "two words")
    for second in range(2, 5):
        clock.now = second
        assert bearer("one") == token.header()
    [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "the last token for MLflow stays in use" in record.getMessage()
    file.write_text("two")
    clock.now = 6
    assert bearer("two") == token.header()


def write(file: Path, token: str) -> None:
    file.write_text(token)


@pytest.fixture
async def fake() -> AsyncIterator[FakeMlflow]:
    """An MLflow that takes the second token."""
    async with FakeMlflow(authorization="Bearer two").serve() as served:
        yield served


async def test_reads_the_file_when_mlflow_refuses_the_token(file: Path, fake: FakeMlflow) -> None:
    """When MLflow refuses a token and the file holds a new one, the call is repeated with that."""
    async with MlflowTransport(
        fake.url, Limits(), access=Access(token=TokenFile(file, Clock()))
    ) as transport:
        with pytest.raises(UpstreamAuth):
            await knock(transport)
        assert 1 == len(fake.calls)
        write(file, "two")
        assert await knock(transport)
    assert ["one", "one", "two"] == [call.headers["Authorization"].split()[1] for call in fake.calls]


async def test_all_calls_that_were_refused_are_repeated(file: Path, fake: FakeMlflow) -> None:
    """Of several calls with the old token the first one reads the new one, and the others have it, too."""
    fake.latency = 0.01
    async with MlflowTransport(
        fake.url, Limits(), access=Access(token=TokenFile(file, Clock()))
    ) as transport:
        calls = [asyncio.create_task(knock(transport)) for _ in range(5)]
        await asyncio.sleep(0)
        write(file, "two")
        assert all(await asyncio.gather(*calls))
    tokens = [call.headers["Authorization"].split()[1] for call in fake.calls]
    assert (5, True) == (tokens.count("one"), tokens.count("two") >= 5)  # a health probe may come besides


async def test_a_refusal_of_the_last_attempt_is_final(file: Path, fake: FakeMlflow) -> None:
    """Where only one attempt is allowed, a refusal is raised, and the next call has the new token."""
    token = TokenFile(file, Clock())
    async with MlflowTransport(fake.url, Limits(attempts=1), access=Access(token=token)) as transport:
        write(file, "two")
        with pytest.raises(UpstreamAuth):
            await knock(transport)
        token.renew()
        assert await knock(transport)
