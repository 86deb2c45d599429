"""The list of what the image holds (CycloneDX): whole, valid, and refused where it would not be."""

import json
import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from service import __version__
from tests.deploy.files import ROOT

PYPROJECT = ROOT / "pyproject.toml"
CONSOLE = ROOT / "service" / "console" / "vendor"
SWAGGER_UI = ROOT / "service" / "api" / "static" / "swagger-ui"
DIGEST = "5f" * 32


class Image(NamedTuple):
    """An environment without packages yet, and what pip said of it."""

    directory: Path

    def install(self, name: str, version: str, *metadata: str) -> None:
        """Put a package with these lines of metadata into the environment."""
        [packages] = (self.directory / "venv" / "lib").glob("python*/site-packages")
        info = packages / f"{name}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata]
        (info / "METADATA").write_text("\n".join([*lines, ""]))

    def listed(self, *installed: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        """Write the list, where pip reports these packages."""
        report = self.directory / "installed.json"
        report.write_text(json.dumps({"install": installed}))
        python, output = self.directory / "venv" / "bin" / "python", self.directory / "sbom.cdx.json"
        arguments = [python, report, PYPROJECT, ROOT / "service", output]
        return subprocess.run(
            [sys.executable, ROOT / "config" / "image" / "sbom.py", *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def text(self) -> str:
        """The list."""
        return (self.directory / "sbom.cdx.json").read_text("utf-8")


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """An environment of its own, with nothing in it."""
    return made(tmp_path)


def made(directory: Path) -> Image:
    """An environment in this folder, with nothing in it."""
    venv.create(directory / "venv", with_pip=False, symlinks=True)
    return Image(directory)


def reported(name: str, version: str, **metadata: str) -> dict[str, Any]:
    """A package as pip reports it."""
    return {
        "metadata": {"name": name, "version": version, **metadata},
        "download_info": {"archive_info": {"hashes": {"sha256": DIGEST}}},
    }


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The list of an image with three packages."""
    image = made(tmp_path_factory.mktemp("image"))
    image.install("Some_Package", "1.2", "License-Expression: MIT")
    image.install("other", "3", "License: 3-Clause BSD License")
    image.install("aiohttp", "3", "License-Expression: MIT")
    done = image.listed(
        reported("some-package", "1.2"),
        reported("other", "3", license="3-Clause BSD License"),
        reported("aiohttp", "3"),
    )
    assert 0 == done.returncode, done.stderr
    return image.text()


def test_the_list(text: str) -> None:
    """Each package has its version, digest and licence, also one whose licence has no name of SPDX's."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    packages = {one["name"]: one for one in json.loads(text)["components"]}
    assert {"Some_Package", "other", "swagger-ui-dist", "preact", "uplot"} <= packages.keys()
    assert "MIT" == packages["Some_Package"]["licenses"][0]["license"]["id"]
    assert "3-Clause BSD License" == packages["other"]["licenses"][0]["license"]["name"]
    for name, version in (("Some_Package", "1.2"), ("other", "3")):
        assert version == packages[name]["version"]
        assert [{"alg": "SHA-256", "content": DIGEST}] == packages[name]["hashes"]


def test_the_service_and_its_files(text: str) -> None:
    """The list is of this version of the service, which brings the files of Swagger UI."""
    bom = json.loads(text)
    root = bom["metadata"]["component"]
    [swagger_ui] = [one for one in bom["components"] if one["name"] == "swagger-ui-dist"]
    assert ("experiment-tracking", __version__) == (root["name"], root["version"])
    assert f"Swagger UI {swagger_ui['version']}," in (SWAGGER_UI / "README.md").read_text("utf-8")
    sums = {f"{one['hashes'][0]['content']}  {one['name']}" for one in swagger_ui["components"]}
    assert set((SWAGGER_UI / "SHA256SUMS").read_text("utf-8").splitlines()) == sums
    [needs] = [one["dependsOn"] for one in bom["dependencies"] if one["ref"] == root["bom-ref"]]
    refs = [one["bom-ref"] for one in bom["components"]]
    assert ["aiohttp==3", *refs[refs.index(swagger_ui["bom-ref"]) :]] == needs


def test_what_the_console_is_drawn_with(text: str) -> None:
    """Each package is listed with its version and its licence, and each of its files with its digest."""
    packages = {one["name"]: one for one in json.loads(text)["components"]}
    readme = (CONSOLE / "README.md").read_text("utf-8")
    names = {"preact", "htm", "@preact/signals", "@preact/signals-core", "uplot"}
    assert names == packages.keys() - {"Some_Package", "other", "aiohttp", "swagger-ui-dist"}
    assert all(f"`{name}` {packages[name]['version']}" in readme for name in names)
    assert "Apache-2.0" == packages["htm"]["licenses"][0]["license"]["id"]
    files = {
        (one["name"], one["hashes"][0]["content"]) for name in names for one in packages[name]["components"]
    }
    sums = (line.split() for line in (CONSOLE / "SHA256SUMS").read_text("utf-8").splitlines())
    assert {(name, digest) for digest, name in sums} == files


@pytest.mark.parametrize(
    ("metadata", "installed", "expected"),
    [
        (["License-Expression: MIT"], [], "not what pip installed"),
        (["License-Expression: MIT"], [reported("some", "2")], "not what pip installed"),
        ([], [reported("some", "1")], "some names no licence"),
    ],
)
def test_what_is_refused(
    image: Image, metadata: list[str], installed: list[dict[str, Any]], expected: str
) -> None:
    """A package that pip did not install, in another version, or without a licence, ends the build."""
    image.install("some", "1", *metadata)
    done = image.listed(*installed)
    assert 1 == done.returncode
    assert expected in done.stderr
    assert not (image.directory / "sbom.cdx.json").exists()


def test_the_tool_is_the_one_that_is_tested() -> None:
    """The lock of the tool pins what the lock of the tests pins."""
    pins = {
        name: set(
            re.findall(r"^[\w.-]+==[^\s;]+", (ROOT / "config/locks" / name).read_text("utf-8"), re.MULTILINE)
        )
        for name in ("dev.txt", "sbom.txt")
    }
    assert "cyclonedx-bom" in {pin.partition("==")[0] for pin in pins["sbom.txt"]}
    assert pins["sbom.txt"] <= pins["dev.txt"]
