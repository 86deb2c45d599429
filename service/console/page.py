"""The one HTML page of the console, which every address of it answers with."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from html import escape
from string import Template
from typing import Final, NamedTuple

from service.console.files import FOLDER, PACKAGES, contents, digest, modules_of

# What a page looks like at once. Styles that are of no page here are everybody's.
_PLOTS: Final = ("css/chart.css", "css/strategy.css", "vendor/uplot/uPlot.min.css")
_STYLES: Final = {
    "runs": ("css/runs.css", "css/filter.css"),
    "run": ("css/run.css", *_PLOTS),
    "compare": ("css/compare.css", "css/compare-plots.css", "css/runs.css", *_PLOTS),
    "strategy": ("css/runs.css", *_PLOTS),
    "lineage": ("css/lineage.css", *_PLOTS),
    "health": ("css/health.css",),
}

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


def page(name: str, version: str, mlflow_url: str) -> Page:
    """The page of this name. mlflow_url: of MLflow's own page; "" where nobody knows it.

    All addresses are relative, so that it works behind a proxy's path prefix.
    """
    assets = f"assets/{digest()}"
    import_map = json.dumps({"imports": {name: f"./{assets}/{path}" for name, path in PACKAGES.items()}})
    styles = styles_of(name)
    others = [path for path in contents() if path.endswith(".css") and path not in styles]
    modules = dict.fromkeys((*modules_of("js/main.js"), *modules_of(f"js/pages/{name}.js")))
    html = Template((FOLDER / "page.html").read_text("utf-8")).substitute(
        version=escape(version),
        mlflow_url=escape(mlflow_url),
        other_styles=" ".join(f"{assets}/{path}" for path in others),
        assets=assets,
        import_map=import_map,
        styles="\n    ".join(f'<link rel="stylesheet" href="{assets}/{path}">' for path in styles),
        preloads="\n    ".join(f'<link rel="modulepreload" href="{assets}/{path}">' for path in modules),
    )
    hashed = b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    return Page(html, _POLICY.format(import_map=f"sha256-{hashed}"))


def styles_of(name: str) -> list[str]:
    """The styles that the page of this name needs at once; it loads the others later, for other pages."""
    named = {path for paths in _STYLES.values() for path in paths}
    return [
        path for path in contents() if path.endswith(".css") and (path in _STYLES[name] or path not in named)
    ]
