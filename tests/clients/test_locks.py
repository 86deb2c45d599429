"""The packages of npm that make clients are locked by their hashes, wherever they come from."""

import json
from pathlib import Path

FOLDER = Path(__file__).parent / "typescript"
LOCK = json.loads((FOLDER / "package-lock.json").read_text("utf-8"))
PACKAGES = {name: package for name, package in LOCK["packages"].items() if name}


def test_each_package_has_a_hash() -> None:
    """npm installs nothing that the lock has no SHA-512 of."""
    hashes = {name: package.get("integrity", "") for name, package in PACKAGES.items()}
    assert [] == [name for name, digest in hashes.items() if not digest.startswith("sha512-")]


def test_the_lock_names_no_registry() -> None:
    """Each machine asks the registry that it is set up for."""
    assert [] == [name for name, package in PACKAGES.items() if "resolved" in package]


def test_the_lock_is_of_these_requirements() -> None:
    """The lock was made from package.json as it stands, which asks for exact releases."""
    asked = json.loads((FOLDER / "package.json").read_text("utf-8"))
    for kind in ("dependencies", "devDependencies"):
        assert asked[kind] == LOCK["packages"][""][kind]
        assert asked[kind] == {name: PACKAGES[f"node_modules/{name}"]["version"] for name in asked[kind]}
