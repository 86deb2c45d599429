"""The credential that a request bears."""

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from service.auth.credential import api_key, bearer
from service.errors import Unauthenticated

Headers = list[tuple[str, str]]


def heading(given: Headers) -> CIMultiDictProxy[str]:
    """Headers as a request has them."""
    return CIMultiDictProxy(CIMultiDict(given))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([("Authorization", "Bearer abc")], "abc"),
        ([("authorization", "bEARER   abc \t")], "abc"),
        ([("Authorization", "Bearer a b")], "a b"),
        ([("Authorization", "Bearer abc\u00a0")], "abc\u00a0"),
        ([("Authorization", "Bearer abc"), ("X-API-Key", "")], None),
        ([("X-API-Key", "abc")], "abc"),
        ([("x-api-key", " abc\t")], "abc"),
    ],
)
def test_a_key(given: Headers, expected: str | None) -> None:
    """A key stands after Bearer or in X-API-Key, and in one of them only."""
    if expected is None:
        with pytest.raises(Unauthenticated, match="Several"):
            api_key(heading(given))
    else:
        assert expected == api_key(heading(given))


@pytest.mark.parametrize("given", [[], [("X-API-Key", "abc")], [("Cookie", "Authorization=Bearer abc")]])
def test_a_token_is_not_looked_for_elsewhere(given: Headers) -> None:
    """A token stands in Authorization."""
    with pytest.raises(Unauthenticated, match="A credential is needed"):
        bearer(heading(given))


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Bearer \t ", "Basic abc", "Bearer\tabc", "abc"])
def test_another_scheme(value: str) -> None:
    """Whatever does not start with Bearer and a space, or stops there, is no credential."""
    with pytest.raises(Unauthenticated, match="must be sent as Authorization: Bearer"):
        bearer(heading([("Authorization", value)]))
