"""What the documentation says of the servers is what the matrix asks."""

from pathlib import Path

import pytest

from tests.matrix.servers import SERVERS, Server

DOCUMENT = (Path(__file__).parents[2] / "docs" / "reference" / "servers.md").read_text()


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_every_server_has_its_row(server: Server) -> None:
    """Each server of the matrix has a row in docs/reference/servers.md, with its own limits."""
    [row] = [line for line in DOCUMENT.splitlines() if line.startswith(f"| {server.title} |")]
    for reason in server.limits.values():
        assert reason in row


def test_no_other_server_has_a_row() -> None:
    """The table has a row for each server of the matrix, and no more."""
    rows = [line for line in DOCUMENT.splitlines() if line.startswith("| ")]
    assert len(SERVERS) + 2 == len(rows)
