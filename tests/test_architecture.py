"""The rooms and who knows whom, read from the code itself."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVICE = ROOT / "service"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SERVICE.rglob("*.py"))
}
MOST_LINES = 300

# Which other parts of the service a part may import. A part is a room, or a module beside the rooms.
GROUND = {
    "allocator",
    "answer",
    "checkpoint",
    "context",
    "durations",
    "errors",
    "hosts",
    "outbound",
    "text_files",
    "workers",
}
MAY_IMPORT = {
    "errors": set(),
    "answer": set(),
    "allocator": set(),
    "context": set(),
    "checkpoint": set(),
    "durations": set(),
    "hosts": {"errors"},
    "outbound": set(),
    "text_files": set(),
    "workers": set(),
    "tracking": {"answer", "checkpoint", "errors", "text_files", "workers"},
    "index": {"answer", "checkpoint", "context", "errors", "text_files", "tracking"},
    "http": {"answer", "context", "durations", "errors", "hosts"},
    "auth": {"errors", "text_files"},
    "local": set(),
    "settings": {"errors", "hosts", "local", "text_files"},
    "upstream": {"answer", "checkpoint", "context", "durations", "errors", "outbound", "tracking"},
    "cache": {"answer", "checkpoint", "context", "errors", "tracking"},
    "api": {"answer", "checkpoint", "context", "errors", "http", "tracking", "workers"},
    "console": {"http"},
    "store": {"cache", "errors", "index"},
    "telemetry": {
        *(
            "answer",
            "cache",
            "context",
            "durations",
            "errors",
            "http",
            "index",
            "store",
            "tracking",
            "upstream",
        ),
    },
    "wiring": GROUND
    | {"auth", "cache", "console", "http", "index", "local", "settings", "store", "tracking", "upstream"},
}
# They put the rooms together.
BUILDERS = {"__main__", "app", "commands", "service"}


def part_of(module: str) -> str:
    """The room of a module, or the module's own name beside the rooms; "" for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def imported(path: Path) -> Iterator[str]:
    """The full names of all that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            for name in node.names:
                full = f"{node.module}.{name.name}"
                yield full if full in MODULES else str(node.module)


IMPORTS = {module: set(imported(path)) for module, path in MODULES.items()}


def test_a_module_imports_only_what_its_room_may_know() -> None:
    """Each import of one part by another stands in the table, where http and tracking are apart."""
    offenders = [
        f"{module} imports {name}"
        for module, names in IMPORTS.items()
        for name in sorted(names)
        if name.split(".")[0] == "service"
        and part_of(module) not in BUILDERS | {"", part_of(name)}
        and part_of(name) not in MAY_IMPORT[part_of(module)] | {""}
    ]
    assert [] == offenders


def test_no_arrow_of_the_table_runs_up() -> None:
    """The table is in the order of the floors: a part may import only what stands before it."""
    order = list(MAY_IMPORT)
    assert [] == [
        (part, other)
        for part, others in MAY_IMPORT.items()
        for other in others
        if order.index(other) >= order.index(part)
    ]


def test_modules_import_each_other_in_no_circle() -> None:
    """Inside a room, too, no two modules need each other."""
    left = {module: {name for name in names if name in MODULES} for module, names in IMPORTS.items()}
    while ends := [module for module, names in left.items() if not names & left.keys()]:
        for module in ends:
            del left[module]
    assert {} == left


def test_every_part_has_a_rule() -> None:
    """A new room, or a new module beside the rooms, says here whom it may know."""
    assert {part_of(module) for module in MODULES} - {""} <= MAY_IMPORT.keys() | BUILDERS


def test_only_the_builders_know_the_settings() -> None:
    """Everything else is given plain values."""
    knowing = {
        part_of(module)
        for module, names in IMPORTS.items()
        if any(name.startswith("service.settings") for name in names)
    }
    assert knowing <= BUILDERS | {"settings", "wiring"}


@pytest.mark.parametrize(
    ("library", "parts"),
    [
        ("mlflow", {"local"}),
        ("numpy", {"index", "local", "tracking"}),
        ("pydantic_settings", {"settings"}),
        ("jwt", {"auth"}),
        ("aiohttp", {"api", "app", "auth", "commands", "console", "http", "telemetry", "upstream"}),
        ("opentelemetry", {"telemetry"}),
        ("pydantic", {"api", "settings", "wiring"}),
        ("redis", {"store"}),
    ],
)
def test_who_may_know_a_library(library: str, parts: set[str]) -> None:
    """MLflow's package serves the sample only, and tracking knows no HTTP."""
    using = {
        part_of(module)
        for module, names in IMPORTS.items()
        if library in {name.split(".")[0] for name in names}
    }
    assert using <= parts


@pytest.mark.parametrize("program", ["local.supervisor", "commands.healthy"])
def test_small_programs_start_at_once(program: str) -> None:
    """supervisor.py and healthy.py are programs of their own and import nothing but the standard library."""
    assert {name.split(".")[0] for name in IMPORTS[f"service.{program}"]} <= sys.stdlib_module_names


def test_tracking_reads_no_environment_and_no_clock_but_the_injected() -> None:
    """Pure modules neither open sockets nor look at the environment."""
    tracking = {name.removeprefix("service.") for name in IMPORTS if name.startswith("service.tracking.")}
    asking = {
        "tracking.analysis.folds_of_runs",
        "tracking.analysis.reading_histories",
        "tracking.lineage.resolving",
        "tracking.lineage.surroundings",
        "tracking.source",
    }
    pure = [
        "answer",
        "api.event_parsing",
        "api.search_parsing",
        "api.search_rows",
        "cache.freshness",
        "cache.narrowing",
        "cache.policy",
        "errors",
        "http.cache_status",
        "http.negotiation",
        "index.cells",
        "index.columns",
        "index.drops",
        "index.facets",
        "index.grouping",
        "index.keys",
        "index.names",
        "index.ordering",
        "index.recorded",
        "index.records",
        "index.schedule",
        "index.shapes",
        "index.shared.progress",
        "index.shared.roles",
        "index.shared.wishes",
        "index.snapshot_columns",
        "index.summaries",
        "index.table",
        "index.tallies",
        "index.texts",
        "index.windows",
        "local.address",
        "local.environment",
        "upstream.breaker",
        "upstream.conditions",
        "upstream.failures",
        "upstream.filters",
        "upstream.lenient",
        "upstream.listing",
        "upstream.names",
        "upstream.points",
        "upstream.recorded",
        "upstream.registry_wire",
        "upstream.status",
        "upstream.wire",
        *sorted(tracking - asking),
    ]
    for name in pure:
        assert not {"os", "time", "socket", "asyncio", "random"} & IMPORTS[f"service.{name}"], name


def test_a_file_has_one_subject() -> None:
    """Past 300 lines a file wants to be two, and none is called utils."""
    paths = [*MODULES.values(), *sorted((ROOT / "tests").rglob("*.py"))]
    assert [] == [path for path in paths if len(path.read_text("utf-8").splitlines()) > MOST_LINES]
    assert [] == [path for path in paths if path.stem in {"utils", "util", "helpers", "common", "misc"}]
