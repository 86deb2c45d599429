"""The one HTML page of the console, which every address of it answers with."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from html import escape
from string import Template
from typing import Final, NamedTuple

from service.console.files import FOLDER, PACKAGES, digest, modules_of, styles_of

PAGES: Final = ("runs", "run", "compare", "strategy", "lineage", "health")

# Scripts and styles of the service alone, and no way to make a script of a text (Trusted Types).
_POLICY: Final = (
    "default-src 'none'; script-src 'self' '{import_map}'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


class Page(NamedTuple):
    """A page's HTML, and the Content-Security-Policy that lets it load what it names and nothing else."""

    html: str
    policy: str


def page(name: str, version: str, mlflow_url: str, experiment: str) -> Page:
    """The page of this name. mlflow_url: of MLflow's own page; "" where nobody knows it.

    experiment: the name of the one that is meant where none is named.

    All addresses are relative, so that it works behind a proxy's path prefix.
    """
    assets = f"assets/{digest()}"
    import_map = json.dumps({"imports": {name: f"./{assets}/{path}" for name, path in PACKAGES.items()}})
    module = f"js/pages/{name}.js"
    modules = dict.fromkeys((*modules_of("js/main.js"), *modules_of(module)))
    html = Template((FOLDER / "page.html").read_text("utf-8")).substitute(
        version=escape(version),
        mlflow_url=escape(mlflow_url),
        experiment=escape(experiment),
        assets=assets,
        import_map=import_map,
        styles="\n    ".join(f'<link rel="stylesheet" href="{assets}/{path}">' for path in styles_of(module)),
        preloads="\n    ".join(f'<link rel="modulepreload" href="{assets}/{path}">' for path in modules),
    )
    hashed = b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    return Page(html, _POLICY.format(import_map=f"sha256-{hashed}"))
