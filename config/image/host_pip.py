#!/usr/bin/env python3
"""Write what the host's pip needs to reach its package index into a directory, for the build's secrets.

`pip.conf` gets the index options and `pip-ca.pem` the certificates; on a host with nothing configured neither
is written. Local indexes are left out, because a build cannot see them.
"""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

CARRIED = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "default-timeout", "retries")
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
CA_IN_BUILD = "/run/secrets/pip-ca.pem"


def configured(listing: str) -> dict[str, str]:
    """The options in the output of `pip config list`; those from the environment (`:env:`) win."""
    options: dict[str, str] = {}
    for line in sorted(listing.splitlines(), key=lambda line: line.startswith(":env:")):
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in {"global", "install", ":env:"}:
            options[option] = ast.literal_eval(value)
    return options


def without_local(value: str) -> str:
    return " ".join(word for word in value.split() if not word.startswith(("file:", "/", ".")))


def main(directory: Path) -> None:
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    options = configured(listing)
    ca = options.get("cert") or next(filter(None, map(os.environ.get, CA_VARIABLES)), None)
    carried = {name: without_local(options[name]) for name in CARRIED if name in options}
    if ca and Path(ca).is_file():
        shutil.copyfile(ca, directory / Path(CA_IN_BUILD).name)
        carried["cert"] = CA_IN_BUILD
    lines = [f"{name} = {value}" for name, value in carried.items() if value]
    if lines:
        (directory / "pip.conf").write_text("\n".join(["[global]", *lines, ""]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
