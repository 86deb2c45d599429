"""The keys of a key set that are usable, and the file that holds one."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from service.auth.key_sets import KeyFile, KeySet
from tests.auth.issuer import PrivateKeys, part, public_jwk


def file_with(tmp_path: Path, content: str | bytes) -> KeyFile:
    """Keys from a file with this content."""
    file = tmp_path / "keys"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return KeyFile(file)


def as_set(*members: Any) -> str:
    """A key set as JSON."""
    return json.dumps({"keys": members})


def as_pem(key: Any) -> bytes:
    """The public half of a key as PEM."""
    content = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert isinstance(content, bytes)
    return content


async def test_a_pem_matches_every_key_id(tmp_path: Path, private_keys: PrivateKeys) -> None:
    """A key as PEM has no id and matches every token of its algorithm."""
    for key, fits, other in ((private_keys.rsa, "RS256", "ES256"), (private_keys.ec, "ES256", "RS256")):
        keys: KeySet = file_with(tmp_path, as_pem(key))
        keys.renew_if_old()
        assert await keys.find(fits, None) is not None
        assert await keys.find(fits, "any") is not None
        assert await keys.find(other, None) is None


async def test_finds_keys_by_id_and_algorithm(tmp_path: Path, private_keys: PrivateKeys) -> None:
    """A key set has a key for each id and algorithm; a token without id matches the only key."""
    rsa, ec_key = public_jwk(private_keys.rsa, kid="a"), public_jwk(private_keys.ec, kid="a")
    keys = file_with(tmp_path, as_set(rsa, ec_key, public_jwk(private_keys.stranger, kid="b")))
    names = {
        (algorithm, key_id): key is not None and key.key_type
        for algorithm in ("RS256", "ES256")
        for key_id in ("a", "b", "c", None)
        for key in [await keys.find(algorithm, key_id)]
    }
    assert {
        ("RS256", "a"): "RSA",
        ("RS256", "b"): "RSA",
        ("RS256", "c"): False,
        ("RS256", None): False,
        ("ES256", "a"): "EC",
        ("ES256", "b"): False,
        ("ES256", "c"): False,
        ("ES256", None): "EC",
    } == names


async def test_skips_unusable_members(tmp_path: Path, private_keys: PrivateKeys) -> None:
    """Members that are malformed, too short or for another use are skipped; the others count."""
    good = public_jwk(private_keys.rsa)
    left_out = {
        "encryption": good | {"use": "enc"},
        "wrapping": good | {"key_ops": ["wrapKey"]},
        "RS512": good | {"alg": "RS512"},
        "PS256": good | {"alg": "PS256"},
        "HS256": good | {"alg": "HS256"},
        "an EC key's": good | {"alg": "ES256"},
        "a list": good | {"alg": ["RS256"]},
        "unknown": good | {"alg": "unknown"},
        "no modulus": {"kty": "RSA", "e": "AQAB"},
        "a number": good | {"n": 5},
        "even": good | {"e": "AA"},
        "no base64": good | {"n": "é"},
        "short": public_jwk(private_keys.weak),
        "secret": {"kty": "oct", "k": part(b"s" * 32), "alg": "HS256"},
        "no kty": {"kid": "x"},
        "unknown kty": {"kty": "LWE"},
        "another curve": public_jwk(private_keys.long_ec),
        "another curve, it says not": public_jwk(private_keys.long_ec, alg="ES256"),
        "off the curve": public_jwk(private_keys.ec) | {"y": part(b"\1" * 32)},
    }
    members = [member | {"kid": name} for name, member in left_out.items()]
    keys = file_with(tmp_path, as_set(*members, good | {"kid": "good", "key_ops": ["verify"]}))
    found = [
        name
        for name in (*left_out, "good")
        for algorithm in ("RS256", "ES256")
        if await keys.find(algorithm, name) is not None
    ]
    assert ["good"] == found


async def test_uses_only_the_public_half(tmp_path: Path, private_keys: PrivateKeys) -> None:
    """Of a private key in a set, only the public half is used."""
    private = public_jwk(private_keys.ec, kid="a") | {"d": part(b"\1" * 32)}
    key = await file_with(tmp_path, as_set(private)).find("ES256", "a")
    assert key is not None
    assert isinstance(key.key, ec.EllipticCurvePublicKey)


def test_rejects_files_without_keys(tmp_path: Path, private_keys: PrivateKeys) -> None:
    """A file that is neither a key set nor a supported public key is an error with the file's name."""
    pkcs8 = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (
        "",
        "{",
        "[]",
        '{"keys": 5}',
        '{"keys": []}',
        '{"keys": [[]]}',
        b"\xff",
        as_set({"kty": "oct", "k": "c2VjcmV0"}),
        "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n",
        private_keys.rsa.private_bytes(*pkcs8),
        as_pem(private_keys.weak),
        as_pem(private_keys.long_ec),
        as_pem(ec.generate_private_key(ec.BrainpoolP256R1())),
        as_pem(ed25519.Ed25519PrivateKey.generate()),
    ):
        with pytest.raises(ValueError, match=f"^{tmp_path / 'keys'}: "):
            file_with(tmp_path, content)


def test_rejects_a_missing_file(tmp_path: Path) -> None:
    """A missing file is an error."""
    with pytest.raises(FileNotFoundError):
        KeyFile(tmp_path / "keys")
