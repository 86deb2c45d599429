"""A token for MLflow in a file that is read again."""

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
def test_what_stands_around_a_token(file: Path, content: bytes) -> None:
    """Line ends, spaces and a byte order mark around it are no part of the token."""
    file.write_bytes(content)
    assert "one" == read_token(file)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"one\ntwo", b"one two", b"on\xff", "é".encode(), b"x" * 65_537]
)
def test_what_is_no_token(file: Path, content: bytes) -> None:
    """Nothing, several lines, or what fits in no header is refused by the file's name alone."""
    file.write_bytes(content)
    with pytest.raises(ValueError, match="token: ") as caught:
        TokenFile(file)
    assert "one" not in str(caught.value).removeprefix(str(file)).replace("one token", "")


def test_it_is_read_again(file: Path) -> None:
    """A new token is sent within a second, and the file is not read for each call."""
    clock = Clock()
    token = TokenFile(file, clock)
    file.write_text("two\n")
    clock.now = 0.9
    assert bearer("one") == token.header()
    clock.now = 1.1
    assert bearer("two") == token.header()


def test_it_is_swapped_by_a_link(tmp_path: Path) -> None:
    """Kubernetes projects a secret as a link to a link that it swaps: the new token is found."""
    for number, content in enumerate(["one", "two"]):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "token").write_text(content)
    (tmp_path / "..data").symlink_to("..0")
    (tmp_path / "token").symlink_to("..data/token")
    token = TokenFile(tmp_path / "token", Clock())
    (tmp_path / "..new").symlink_to("..1")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert token.renew()
    assert bearer("two") == token.header()


@pytest.mark.parametrize("trouble", ["gone", "empty", "rubbish"])
def test_a_file_in_trouble(file: Path, caplog: pytest.LogCaptureFixture, trouble: str) -> None:
    """The last token stays, the log says so once, and a file that is well again counts."""
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


async def test_a_refused_token_is_looked_up_at_once(file: Path, fake: FakeMlflow) -> None:
    """When MLflow refuses a token whose file has another by now, the call is made again with that."""
    async with MlflowTransport(
        fake.url, Limits(), access=Access(token=TokenFile(file, Clock()))
    ) as transport:
        with pytest.raises(UpstreamAuth):
            await knock(transport)
        assert 1 == len(fake.calls)
        write(file, "two")
        assert await knock(transport)
    assert ["one", "one", "two"] == [call.headers["Authorization"].split()[1] for call in fake.calls]


async def test_a_last_attempt_is_the_last(file: Path, fake: FakeMlflow) -> None:
    """With one attempt a refusal is a refusal, and the next call has the new token."""
    token = TokenFile(file, Clock())
    async with MlflowTransport(fake.url, Limits(attempts=1), access=Access(token=token)) as transport:
        write(file, "two")
        with pytest.raises(UpstreamAuth):
            await knock(transport)
        token.renew()
        assert await knock(transport)
