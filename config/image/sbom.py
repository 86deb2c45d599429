#!/usr/bin/env python3
"""Write what the image holds as CycloneDX: sbom.py PYTHON REPORT PYPROJECT SERVICE OUTPUT

PYTHON is the environment that is shipped, REPORT what pip reported of its installation: the SHA-256 digests
of the archives are from there, and pip has held them to the lock. PYPROJECT describes the service, and
SERVICE is its folder, with its version and what browsers load from it. A package in the environment that pip
does not report or that names no licence is an error, as is a list that is not valid. What the base image
holds is not listed.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def normalized(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def environment(python: str, pyproject: str) -> Json:
    """What cyclonedx-py finds in the environment; validated in the end, with what is added."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--pyproject", pyproject]
    options = ["--spec-version", "1.6", "--output-reproducible", "--no-validate", python]
    found: Json = json.loads(subprocess.run([*command, *options], stdout=subprocess.PIPE, check=True).stdout)
    return found


def installed(report: Json) -> dict[tuple[str, str], Json]:
    """What pip says of each package, by name and version."""
    return {
        (normalized(one["metadata"]["name"]), one["metadata"]["version"]): one for one in report["install"]
    }


def version(folder: Path) -> str:
    """The service's version, read from its folder without an import."""
    [line] = re.findall(r'^__version__ = "(.+)"$', (folder / "__init__.py").read_text("utf-8"), re.MULTILINE)
    return str(line)


def swagger_ui(folder: Path) -> Json:
    """Swagger UI, whose files are part of the service's folder."""
    version = re.findall(r"Swagger UI ([\d.]+\d)", (folder / "README.md").read_text("utf-8"))[0]
    return vendored("swagger-ui-dist", version, "Apache-2.0", sums(folder))


def console(folder: Path) -> list[Json]:
    """What the console is drawn with. README.md names the packages and the licence of each folder."""
    digests = sums(folder)
    readme = (folder / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (\w+) \| (.*`.*) \| (.+) \|$", readme, re.MULTILINE)
    if {name for name, *_ in rows} != {file.partition("/")[0] for file in digests}:
        sys.exit(f"{folder / 'README.md'} does not name what is in {folder}")
    packages = []
    for part, said, licence in rows:
        named = re.findall(r"`(\S+)` (\d[\d.]*)", said)
        for name, version in named:
            # Where a folder has two packages, the files are called as they are.
            own = {"LICENSE", name.rpartition("/")[2]} if len(named) > 1 else None
            files = (file for file in digests if file.startswith(f"{part}/"))
            kept = {file: digests[file] for file in files if own is None or Path(file).stem in own}
            packages.append(vendored(name, version, licence, kept))
    return packages


def sums(folder: Path) -> dict[str, str]:
    """The SHA-256 digests of a folder's files, by their names."""
    lines = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def vendored(name: str, version: str, licence: str, digests: dict[str, str]) -> Json:
    """A package of npm whose files are part of the service's folder."""
    files = [{"type": "file", "name": file, "hashes": [sha256(one)]} for file, one in digests.items()]
    return {
        "type": "library",
        "bom-ref": name,
        "name": name,
        "version": version,
        "licenses": [{"license": {"id": licence}}],
        "purl": f"pkg:npm/{name.replace('@', '%40')}@{version}",
        "components": files,
    }


def sha256(digest: str) -> Json:
    """A digest as CycloneDX has it."""
    return {"alg": "SHA-256", "content": digest}


def listed(python: str, report: Path, pyproject: str, service: Path) -> Json:
    """The list; SystemExit where the environment is not what pip installed."""
    bom = environment(python, pyproject)
    known = installed(json.loads(report.read_text("utf-8")))
    packages = {(normalized(one["name"]), one["version"]): one for one in bom["components"]}
    if packages.keys() != known.keys():
        sys.exit(f"the environment is not what pip installed: {sorted(packages.keys() ^ known.keys())}")
    for key, package in packages.items():
        package["hashes"] = [sha256(known[key]["download_info"]["archive_info"]["hashes"]["sha256"])]
        # cyclonedx-py takes names that are SPDX's only.
        if "licenses" not in package and (said := known[key]["metadata"].get("license")):
            package["licenses"] = [{"license": {"name": said}}]
        if "licenses" not in package:
            sys.exit(f"{package['name']} names no licence")
    shown = [swagger_ui(service / "api" / "static" / "swagger-ui"), *console(service / "console" / "vendor")]
    bom["components"] += shown
    refs = [one["bom-ref"] for one in shown]
    root = bom["metadata"]["component"]
    root["version"] = version(service)
    [needs] = [one for one in bom["dependencies"] if one["ref"] == root["bom-ref"]]
    needs["dependsOn"] = [*needs.get("dependsOn", []), *refs]
    bom["dependencies"] += [{"ref": ref} for ref in refs]
    return bom


def main(python: str, report: str, pyproject: str, service: str, output: str) -> None:
    text = json.dumps(listed(python, Path(report), pyproject, Path(service)), indent=1, ensure_ascii=False)
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415 - seconds, for a list that there is
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415 - as above

    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if wrong is not None:
        sys.exit(f"the list is not valid CycloneDX: {wrong}")
    Path(output).write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
