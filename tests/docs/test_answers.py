"""The comparison that holds the documentation to the service: what it takes, and what it refuses."""

import pytest

from tests.docs.answers import Answers

A, B = "a" * 32, "b" * 32
C, D = "c" * 32, "d" * 32


@pytest.mark.parametrize(
    ("shown", "answer"),
    [
        ('{"a": 1}', '{"a":1}'),
        ('{"a": 1, …}', '{"a":1,"b":2}'),
        ('{…, "b": {…}}', '{"a":1,"b":{"c":3}}'),
        ("[1, …]", "[1,2,3]"),
        ("[…, 3]", "[1,2,3]"),
        ("[1, …, 3]", "[1,2,3]"),
        ('{"a": "x…z"}', '{"a":"xyz"}'),
        (f'{{"a": "{A}", "b": "{A}/x"}}', f'{{"a":"{C}","b":"{C}/x"}}'),
        (
            f'{{"a": ["{A}", "{B}"], "b": {{"{A}": 1, "{B}": 2}}}}',
            f'{{"a":["{C}","{D}"],"b":{{"{D}":2,"{C}":1}}}}',
        ),
    ],
)
def test_takes_what_is_shown(shown: str, answer: str) -> None:
    """An answer with all that is shown passes, with more of it only where `…` stands."""
    Answers().compare("json", shown, answer)


@pytest.mark.parametrize(
    ("shown", "answer"),
    [
        ('{"a": 1}', '{"a":2}'),
        ('{"a": 1}', '{"a":true}'),
        ('{"a": 1}', '{"a":1,"b":2}'),
        ('{"a": 1, …}', '{"b":2}'),
        ("[1]", "[1,2]"),
        ("[1, …, 3]", "[1,2]"),
        ('{"a": "x…z"}', '{"a":"xy"}'),
        (f'{{"a": "{A}", "b": "{A}"}}', f'{{"a":"{C}","b":"{D}"}}'),
        (f'{{"a": "{A}", "b": "{B}"}}', f'{{"a":"{C}","b":"{C}"}}'),
    ],
)
def test_refuses_what_differs(shown: str, answer: str) -> None:
    """An answer that lacks something, has more or has another value is a difference."""
    with pytest.raises(AssertionError):
        Answers().compare("json", shown, answer)


def test_heads_of_answers() -> None:
    """Status and headers are compared, in any order; others only pass where a line `…` stands."""
    answer = 'HTTP/1.1 200 OK\r\nAge: 0\r\nETag: "x"\r\n\r\n{}'
    Answers().compare("http", 'HTTP/1.1 200 OK\nETag: "…"\nAge: 0', answer)
    Answers().compare("http", "HTTP/1.1 200 OK\nAge: 0\n…", answer)
    for shown in ("HTTP/1.1 304 Not Modified\n…", "HTTP/1.1 200 OK\nAge: 1\n…", "HTTP/1.1 200 OK\nAge: 0"):
        with pytest.raises(AssertionError):
            Answers().compare("http", shown, answer)


def test_texts() -> None:
    """A text is compared as it is, but for what `…` stands for and the white space around it."""
    Answers().compare("text", "one\n…\nfour", "one\ntwo\nthree\nfour\n")
    with pytest.raises(AssertionError):
        Answers().compare("text", "one", "one\ntwo\n")
