"""Invalid tokens, by what is wrong with them; each is made from a valid token of an issuer."""

import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.auth.issuer import AUDIENCE, ISSUER, Issuer, Sign, assembled, part, public_jwk, signing

Forgery = Callable[[Issuer], str]


def unsigned(_message: bytes) -> bytes:
    """Return an empty signature."""
    return b""


def with_head(sign: Callable[[Issuer], Sign] | None = None, **head: Any) -> Forgery:
    """A token with this header, signed with the issuer's RSA key or as `sign` says."""

    def forged(issuer: Issuer) -> str:
        return assembled(head, issuer.claims(), issuer.rs256 if sign is None else sign(issuer))

    return forged


def with_claims(**claims: Any) -> Forgery:
    """A token with these claims, signed by the issuer."""
    return lambda issuer: issuer.token(**claims)


def in_seconds(**seconds: int) -> Forgery:
    """A token whose times are this many seconds from now."""
    return lambda issuer: issuer.token(**{name: int(time.time()) + value for name, value in seconds.items()})


def public_bytes(issuer: Issuer, encoding: Encoding) -> bytes:
    """The issuer's public RSA key, which everybody knows."""
    return issuer.keys.rsa.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def keyed_with(secret: Callable[[Issuer], bytes]) -> Callable[[Issuer], Sign]:
    """Sign by HMAC with something that everybody knows."""
    return lambda issuer: lambda message: hmac.digest(secret(issuer), message, "sha256")


def stranger(issuer: Issuer) -> Sign:
    """Sign with the key of a stranger."""
    return signing("RS256", issuer.keys.stranger)


def strangers_key(issuer: Issuer) -> dict[str, Any]:
    """The public key of a stranger, as a JWK in the header of a token."""
    return public_jwk(issuer.keys.stranger, kid="rsa")


def edited(edit: Callable[[str, str, str], str]) -> Forgery:
    """A valid token whose header, claims and signature are put together anew."""
    return lambda issuer: edit(*issuer.token().split("."))


def other_claims(head: str, _claims: str, signature: str) -> str:
    """The signature of one token with the claims of another."""
    return f"{head}.{part(json.dumps({'sub': 'root', 'iss': ISSUER}).encode())}.{signature}"


WRONG_ALGORITHMS: Mapping[str, Forgery] = {
    **{
        f"alg {name!r}, no signature": with_head(lambda _: unsigned, alg=name)
        for name in ("none", "None", "NONE", "nOnE", "none ", "")
    },
    "alg none, a signature": with_head(alg="none", kid="rsa"),
    "alg none with a known kid": with_head(lambda _: unsigned, alg="none", kid="rsa"),
    "no alg": with_head(kid="rsa"),
    "alg null": with_head(alg=None, kid="rsa"),
    "alg a list": with_head(alg=["RS256"], kid="rsa"),
    "alg an object": with_head(alg={"RS256": 1}, kid="rsa"),
    "alg a number": with_head(alg=256, kid="rsa"),
    "alg in small letters": with_head(alg="rs256", kid="rsa"),
    "HS256 with the public key as PEM": with_head(
        keyed_with(lambda issuer: public_bytes(issuer, Encoding.PEM)), alg="HS256", kid="rsa"
    ),
    "HS256 with the public key as DER": with_head(
        keyed_with(lambda issuer: public_bytes(issuer, Encoding.DER)), alg="HS256", kid="rsa"
    ),
    "HS256 with the public key's JWK": with_head(
        keyed_with(lambda issuer: json.dumps(issuer.published[0]).encode()), alg="HS256", kid="rsa"
    ),
    "HS256 with an empty secret": with_head(keyed_with(lambda _: b"\0"), alg="HS256", kid="rsa"),
    "HS256 with a secret that is published": with_head(
        keyed_with(lambda _: b"s" * 32), alg="HS256", kid="secret"
    ),
    "RS512": with_head(lambda issuer: signing("RS512", issuer.keys.rsa), alg="RS512", kid="rsa"),
    "PS256": with_head(lambda issuer: signing("PS256", issuer.keys.rsa), alg="PS256", kid="rsa"),
    "RS256 said, RS512 done": with_head(
        lambda issuer: signing("RS512", issuer.keys.rsa), alg="RS256", kid="rsa"
    ),
    "ES384": with_head(lambda issuer: signing("ES384", issuer.keys.long_ec), alg="ES384", kid="ec"),
    "the EC key's kid on an RS256 token": with_head(alg="RS256", kid="ec"),
    "the RSA key's kid on an ES256 token": with_head(lambda issuer: issuer.es256, alg="ES256", kid="rsa"),
    "a key for encryption": with_head(
        lambda issuer: signing("RS256", issuer.keys.encryption), alg="RS256", kid="encryption"
    ),
    "a key of 1024 bits": with_head(
        lambda issuer: signing("RS256", issuer.keys.weak), alg="RS256", kid="weak"
    ),
}

WRONG_KEYS: Mapping[str, Forgery] = {
    "another key under a known kid": with_head(stranger, alg="RS256", kid="rsa"),
    **{
        f"kid {name!r}"[:40]: with_head(stranger, alg="RS256", kid=name)
        for name in (
            "unknown",
            "",
            "../../../../../../dev/null",
            "/proc/sys/kernel/randomize_va_space",
            "file:///etc/hostname",
            "rsa\0",
            "rsa' OR '1'='1",
            "rsa; sleep 5",
            "RSA",
            "\ud800",
            "x" * 4_000,
        )
    },
    "kid a list": with_head(alg="RS256", kid=["rsa"]),
    "kid a number": with_head(alg="RS256", kid=1),
    "kid null": with_head(alg="RS256", kid=None),
    "jwk in the head, kid known": lambda issuer: assembled(
        {"alg": "RS256", "kid": "rsa", "jwk": strangers_key(issuer)}, issuer.claims(), stranger(issuer)
    ),
    "jwk in the head, no kid": lambda issuer: assembled(
        {"alg": "RS256", "jwk": strangers_key(issuer)}, issuer.claims(), stranger(issuer)
    ),
    "x5c in the head": lambda issuer: assembled(
        {"alg": "RS256", "kid": "rsa", "x5c": [part(public_bytes(issuer, Encoding.DER))]},
        issuer.claims(),
        stranger(issuer),
    ),
    "an extension that is critical": with_head(alg="RS256", kid="rsa", crit=["exp2"], exp2=1),
    "claims that are not encoded": with_head(alg="RS256", kid="rsa", crit=["b64"], b64=False),
}

OF_COGNITO: dict[str, Any] = {"aud": None, "token_use": "access", "client_id": AUDIENCE}

WRONG_CLAIMS: Mapping[str, Forgery] = {
    "expired": in_seconds(nbf=-600, exp=-60),
    "not valid yet": in_seconds(nbf=60, exp=600),
    "issued in the future": in_seconds(iat=60),
    **{f"no {name}": with_claims(**{name: None}) for name in ("exp", "iss", "aud")},
    "exp a word": with_claims(exp="never"),
    "exp a list": with_claims(exp=[9_999_999_999]),
    "exp infinite": with_claims(exp=float("inf")),
    "exp not a number": with_claims(exp=float("nan")),
    "nbf a word": with_claims(nbf="always"),
    "another aud": with_claims(aud="another-service"),
    "aud that starts alike": with_claims(aud="experiment-tracking-admin"),
    "aud in capitals": with_claims(aud="EXPERIMENT-TRACKING"),
    "a list of other auds": with_claims(aud=["another-service", "experiment-tracking2"]),
    "an empty list of auds": with_claims(aud=[]),
    "aud an object": with_claims(aud={"experiment-tracking": 1}),
    "aud a list in a list": with_claims(aud=[["experiment-tracking"]]),
    "another iss": with_claims(iss="https://evil.example.com/research"),
    "iss with a slash more": with_claims(iss=f"{ISSUER}/"),
    "iss a list": with_claims(iss=[ISSUER]),
    "no aud but a client": with_claims(aud=None, client_id=AUDIENCE),
    "no aud but a party": with_claims(aud=None, azp=AUDIENCE),
    "an access token of another client's": with_claims(**OF_COGNITO | {"client_id": "another"}),
    "an access token without its client": with_claims(**OF_COGNITO | {"client_id": None}),
    "an id token of the client's without aud": with_claims(**OF_COGNITO | {"token_use": "id"}),
    "an access token for another aud": with_claims(**OF_COGNITO | {"aud": "another"}),
    "an access token without exp": with_claims(**OF_COGNITO | {"exp": None}),
    "neither nbf nor exp": with_claims(nbf=None, exp=None),
    "no nbf, expired": lambda issuer: issuer.token(nbf=None, exp=int(time.time()) - 60),
    "iat a word": with_claims(iat="now"),
    "claims that are a list": lambda issuer: assembled(
        {"alg": "RS256", "kid": "rsa"},
        [issuer.claims()],
        issuer.rs256,
    ),
}

WRONG_SHAPES: Mapping[str, Forgery] = {
    "a word": lambda _: "token",
    "two parts": edited(lambda head, claims, _: f"{head}.{claims}"),
    "four parts": edited(lambda head, claims, signature: f"{head}.{claims}.{signature}.{signature}"),
    "five parts": lambda _: ".".join([part(b'{"alg": "RSA-OAEP", "enc": "A256GCM"}'), "a", "b", "c", "d"]),
    "dots": lambda _: "..",
    "no signature": edited(lambda head, claims, _: f"{head}.{claims}."),
    "half a signature": edited(lambda head, claims, signature: f"{head}.{claims}.{signature[:171]}"),
    "another signature": edited(lambda head, claims, _: f"{head}.{claims}.{part(bytes(256))}"),
    "other claims under the signature": edited(other_claims),
    "an ES256 signature of zeros": with_head(lambda _: lambda _: bytes(64), alg="ES256", kid="ec"),
    "an ES256 signature as DER": with_head(
        lambda _: lambda _: bytes.fromhex("3006020101020101"), alg="ES256", kid="ec"
    ),
    "a head that is no JSON": edited(lambda _, claims, signature: f"{part(b'{')}.{claims}.{signature}"),
    "a head that is a list": edited(lambda _, claims, signature: f"{part(b'[]')}.{claims}.{signature}"),
    "a head deep in itself": edited(
        lambda _, claims, signature: f"{part(b'[' * 3_000)}.{claims}.{signature}"
    ),
    "no base64": edited(lambda head, claims, signature: f"{head}.{claims}.{signature[:-4]}!!!!"),
    "a space inside": edited(lambda head, claims, signature: f"{head}. {claims}.{signature}"),
    "twice": edited(lambda *parts: f"{'.'.join(parts)} {'.'.join(parts)}"),
    "longer than any": lambda issuer: issuer.token(padding="x" * 8_192),
    "letters that are not ASCII": edited(lambda head, claims, signature: f"{head}.{claims}.é{signature}"),
    "bytes that are not UTF-8": edited(lambda head, claims, signature: f"{head}.{claims}.\udcff{signature}"),
}

FORGERIES: Mapping[str, Forgery] = {**WRONG_ALGORITHMS, **WRONG_KEYS, **WRONG_CLAIMS, **WRONG_SHAPES}
