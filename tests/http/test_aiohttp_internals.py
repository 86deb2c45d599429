"""What the service relies on of aiohttp's private parts: where this fails, an upgrade has changed one."""

import ast
import importlib
import inspect
import textwrap
from collections import deque
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import aiohttp.helpers
import aiohttp.web_protocol
import pytest
from aiohttp import web

import service
from service.http import aiohttp_internals

SERVICE = Path(service.__file__).parent  # the checkout's or the wheel's
INTERNALS = Path(str(aiohttp_internals.__file__))
# Modules of aiohttp whose names its documentation has.
PUBLIC = {"aiohttp", "aiohttp.abc", "aiohttp.hdrs", "aiohttp.web"}


async def protocol() -> web.RequestHandler:
    """A connection of aiohttp's own, before anything has come."""
    return web.Server(answer)()


async def answer(_request: web.BaseRequest) -> web.StreamResponse:
    """Answer anything."""
    return web.Response()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (
            "_messages",
            deque,
        ),  # requests that were read and not begun: a message, or what is wrong, and a body
        ("_request_count", int),  # requests read so far
        ("_current_request", type(None)),  # the request that is handled
        ("_waiter", type(None)),  # a future while the next request is waited for
        ("_lingering_time", float),  # seconds for which the rest of a body is read after the answer
    ],
)
async def test_a_connection_has(name: str, kind: type) -> None:
    """Attributes of a connection that tell how far it has read."""
    assert kind is type(getattr(await protocol(), name))


async def test_a_connection_knows_its_loop() -> None:
    """The event loop of a connection, which its timers are of."""
    assert hasattr((await protocol())._loop, "call_later")


def test_a_message_that_cannot_be_read() -> None:
    """It stands among the messages in place of a request."""
    fields = ["status", "exc", "message"]
    assert fields == list(inspect.signature(aiohttp.web_protocol._ErrInfo).parameters)


def test_methods_that_are_overridden() -> None:
    """They are called with these parameters."""
    handler = web.RequestHandler
    assert ["self", "request", "status", "exc", "message"] == list(
        inspect.signature(handler.handle_error).parameters
    )
    for name, parameters in {
        "connection_made": ["self", "transport"],
        "connection_lost": ["self", "exc"],
        "data_received": ["self", "data"],
        "close": ["self"],
    }.items():
        assert parameters == list(inspect.signature(getattr(handler, name)).parameters)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("_state", dict),
        ("_status", int),
        ("_reason", str),
        ("_keep_alive", type(None)),
        ("_eof_sent", bool),
        ("_req", type(None)),
        ("_payload_writer", type(None)),
    ],
)
def test_a_response_has(name: str, kind: type) -> None:
    """Attributes of a response that tell whether it was sent, and how."""
    assert kind is type(getattr(web.StreamResponse(), name))


def test_a_new_response_has_nothing_else() -> None:
    """What a response of ready-made bytes sets up is all that aiohttp's own sets up."""
    own = vars(web.StreamResponse()).keys()
    encoded = vars(aiohttp_internals.EncodedResponse(200, b"", b"")).keys()
    assert {"_head", "_bytes", "cache", "waited"} == encoded - own
    assert set() == own - encoded


def test_the_date_of_a_response() -> None:
    """A function makes it once a second."""
    assert aiohttp.helpers.rfc822_formatted_time().endswith(" GMT")


@cache
def files() -> list[tuple[Path, ast.Module]]:
    """Every file of the service but the one that may name private parts."""
    others = [path for path in sorted(SERVICE.rglob("*.py")) if path != INTERNALS]
    return [(path, ast.parse(path.read_text("utf-8"))) for path in others]


def test_no_other_file_imports_a_private_part() -> None:
    """Only documented modules of aiohttp are imported, and no private name of them."""
    offenders = []
    for path, tree in files():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "aiohttp":
                private = [name.name for name in node.names if name.name.startswith("_")]
                if node.module not in PUBLIC or private:
                    offenders.append(f"{path.name}: from {node.module} import {private}")
            elif isinstance(node, ast.Import):
                names = [name.name for name in node.names if name.name.split(".")[0] == "aiohttp"]
                offenders += [f"{path.name}: import {name}" for name in names if name not in PUBLIC]
    assert [] == offenders


def test_no_other_file_uses_a_private_attribute() -> None:
    """No `_name` of another object's is used, but those that a named tuple has."""
    of_named_tuples = {"_replace", "_asdict", "_fields"}
    offenders = [
        f"{path.name}: {node.attr}"
        for path, tree in files()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and node.attr not in of_named_tuples
        and not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"})
    ]
    assert [] == offenders


def private_names(kind: type) -> set[str]:
    """The `self._name`s in the source of a class."""
    return {
        node.attr
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(kind))))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def subclasses(module: ModuleType) -> Iterator[tuple[type, type]]:
    """The classes that a module derives from aiohttp's, each with what it is derived from."""
    for kind in vars(module).values():
        if isinstance(kind, type) and kind.__module__ == module.__name__:
            yield from ((kind, base) for base in kind.__mro__[1:] if base.__module__.startswith("aiohttp."))


def test_no_other_subclass_shares_a_private_attribute() -> None:
    """What a subclass of a class of aiohttp's calls `self._name` is its own, and nothing of aiohttp's."""
    found = 0
    for path, _ in files():
        parts = path.relative_to(SERVICE.parent).with_suffix("").parts
        if parts[-1] == "__main__" or parts[1:2] == ("local",):
            continue  # programs; they know no aiohttp
        for kind, base in subclasses(importlib.import_module(".".join(parts))):
            found += 1
            assert set() == private_names(kind) & private_names(base), kind
    assert found
