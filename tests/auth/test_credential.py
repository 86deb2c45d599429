"""The credential in the headers of a request."""

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
def test_reads_a_key_from_either_header(given: Headers, expected: str | None) -> None:
    """A key is read after Bearer or from X-API-Key, and from only one of them."""
    if expected is None:
        with pytest.raises(Unauthenticated, match="Several"):
            api_key(heading(given))
    else:
        assert expected == api_key(heading(given))


@pytest.mark.parametrize("given", [[], [("X-API-Key", "abc")], [("Cookie", "Authorization=Bearer abc")]])
def test_reads_a_token_from_authorization_only(given: Headers) -> None:
    """A token is read from Authorization only."""
    with pytest.raises(Unauthenticated, match="A credential is needed"):
        bearer(heading(given))


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Bearer \t ", "Basic abc", "Bearer\tabc", "abc"])
def test_rejects_other_schemes(value: str) -> None:
    """Any scheme but Bearer, and Bearer without a credential, is an error."""
    with pytest.raises(Unauthenticated, match="must be sent as Authorization: Bearer"):
        bearer(heading([("Authorization", value)]))
