"""What tells callers by tokens, with the issuer's key in hand."""

from collections.abc import Mapping
from typing import Any

import jwt
from multidict import CIMultiDict, CIMultiDictProxy

from service.auth.key_sets import KeyUrl
from service.auth.tokens import Tokens
from tests.auth.issuer import AUDIENCE, ISSUER
from tests.cache.scripted import Clock


class Keys:
    """A key set that notes what it is asked for."""

    def __init__(self, member: Mapping[str, Any]) -> None:
        self.edition = 0
        self.asked: list[tuple[str, str | None]] = []
        self._key = jwt.PyJWK.from_dict(dict(member))

    def renew_if_old(self) -> None:
        """It never is."""

    async def find(self, algorithm: str, key_id: str | None) -> jwt.PyJWK | None:
        """The key, whatever it is called."""
        self.asked.append((algorithm, key_id))
        return self._key


def telling(keys: Keys | KeyUrl, clock: Clock, most_known: int = 100) -> Tokens:
    """What tells callers by the issuer's tokens."""
    return Tokens(keys, issuer=ISSUER, audience=AUDIENCE, most_known=most_known, clock=clock)


def bearing(token: str) -> CIMultiDictProxy[str]:
    """The headers of a request that bears a token."""
    return CIMultiDictProxy(CIMultiDict({"Authorization": f"Bearer {token}"}))
