"""`experiment-tracking new-key`: the key and the line that it prints let a caller in."""

import re

import pytest

import service.__main__ as command
from service.auth.api_keys import read_keys
from tests.api.serving import ask, serving
from tests.fakes.mlflow import FakeMlflow

Capsys = pytest.CaptureFixture[str]


def printed(capsys: Capsys, name: str) -> tuple[str, str]:
    """The key and the line that the command prints for this name."""
    assert 0 == command.main(["new-key", name])
    out, err = capsys.readouterr()
    assert "" == err
    indented = re.findall(r"(?m)^  (.*)$", out)
    assert 2 == len(indented)
    return indented[0], indented[1]


def test_prints_a_new_key_and_its_line(capsys: Capsys) -> None:
    """It prints a new key each time, and a line that holds the name but not the key."""
    key, line = printed(capsys, "ada")
    assert ["ada"] == list(read_keys(line).values())
    assert key not in line
    assert key != printed(capsys, "ada")[0]


async def test_the_key_is_accepted(capsys: Capsys, fake: FakeMlflow) -> None:
    """If the line is in the settings, the key is accepted."""
    key, line = printed(capsys, "ada")
    async with serving(fake.url, auth={"mode": "api_key", "api_keys": line}) as api:
        for headers, expected in (({}, 401), ({"X-API-Key": key}, 200)):
            assert expected == (await ask(api, "experiments", headers=headers)).status


@pytest.mark.parametrize("name", ["", "a b", "ada\n", "x" * 65, "é"])
def test_rejects_malformed_names(capsys: Capsys, name: str) -> None:
    """A name that cannot stand in a line of the file is exit code 2, and no key is made."""
    assert 2 == command.main(["new-key", name])
    out, err = capsys.readouterr()
    assert ("", "experiment-tracking: a name has 1 to 64 letters, digits and . _ @ -\n") == (out, err)
