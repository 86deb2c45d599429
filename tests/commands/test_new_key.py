"""`new-key`: what it says is all that it takes to let a caller in."""

import re

import pytest

import service.__main__ as command
from service.auth.api_keys import read_keys
from tests.api.serving import ask, serving
from tests.fakes.mlflow import FakeMlflow

Capsys = pytest.CaptureFixture[str]


def said(capsys: Capsys, name: str) -> tuple[str, str]:
    """The key and the line that the command says for this name."""
    assert 0 == command.main(["new-key", name])
    out, err = capsys.readouterr()
    assert "" == err
    indented = re.findall(r"(?m)^  (.*)$", out)
    assert 2 == len(indented)
    return indented[0], indented[1]


def test_the_key_is_shown_once(capsys: Capsys) -> None:
    """It says the key, and a line to be stored in which the key does not stand; each time another."""
    key, line = said(capsys, "ada")
    assert ["ada"] == list(read_keys(line).values())
    assert key not in line
    assert key != said(capsys, "ada")[0]


async def test_the_key_lets_in(capsys: Capsys, fake: FakeMlflow) -> None:
    """With the line among the settings, the key is good for every route."""
    key, line = said(capsys, "ada")
    async with serving(fake.url, auth={"mode": "api_key", "api_keys": line}) as api:
        for headers, expected in (({}, 401), ({"X-API-Key": key}, 200)):
            assert expected == (await ask(api, "experiments", headers=headers)).status


@pytest.mark.parametrize("name", ["", "a b", "ada\n", "x" * 65, "é"])
def test_what_is_no_name(capsys: Capsys, name: str) -> None:
    """What cannot stand in a line is refused with exit code 2, and no key is made."""
    assert 2 == command.main(["new-key", name])
    out, err = capsys.readouterr()
    assert ("", "experiment-tracking: a name has 1 to 64 letters, digits and . _ @ -\n") == (out, err)
