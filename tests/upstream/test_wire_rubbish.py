"""Whatever bytes arrive in place of MLflow's reply, they are a value or a WireError."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.upstream.wire import Page, WireError
from tests.upstream.readers import READERS, read_experiments, read_runs


@pytest.mark.parametrize("read", [read_runs, read_experiments])
@pytest.mark.parametrize(
    "body",
    [
        "{}",
        " {\n}\n",
        '{"next_page_token": ""}',
        '{"next_page_token": null}',
        '{"runs": null}',
        '{"experiments": null, "next_page_token": null}',
    ],
)
def test_reads_missing_lists_as_empty(read: Callable[[bytes], Page[Any]], body: str) -> None:
    """A list that is left out, or null, is empty."""
    page = read(body.encode())
    assert ([], "", []) == (page.found, page.token, page.unreadable)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"5",
        b"NaN",
        b'"x"',
        b"[]",
        b'{"message": 1}',
        b'{"runs": null, "run": null, "experiment": null, "experiments": null}',
        b'{"runs": {}, "run": [], "experiment": [], "experiments": {}}',
        b'{"runs": [{}], "run": {}, "experiment": {}, "experiments": [{}]}',
        b'{"next_page_token": "x"}',
        b'{"next_page_token": 5}',
        b'{"x": NaN}',
        b'{"x": "\xff"}',
        b'{"x": "\xe9"}',
        b'{"x": ' + b"1" * 5_000 + b"}",
        b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"[" * 100_000,
        b'{"runs": [',
        b"{} x",
    ],
    ids=lambda body: repr(body)[:40] if isinstance(body, bytes) else None,
)
def test_rejects_other_replies(read: Callable[[bytes], object], body: bytes) -> None:
    """A body that is not MLflow's answer is a WireError, and never an empty list."""
    with pytest.raises(WireError):
        read(body)


@given(
    st.binary(max_size=50)
    | st.recursive(st.none() | st.text(max_size=5) | st.floats(), st.lists).map(
        lambda x: json.dumps(x).encode()
    )
)
def test_any_bytes_are_a_value_or_a_wire_error(body: bytes) -> None:
    """No bytes make a reader fail in another way than by a WireError."""
    for read in READERS:
        try:
            read(body)
        except WireError:
            continue
