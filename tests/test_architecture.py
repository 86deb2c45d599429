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
MAY_IMPORT = {
    "api": {"durations", "errors", "tracking"},
    "auth": {"errors", "text_files"},
    "local": set(),
    "outbound": set(),
    "tracking": {"errors", "text_files", "turns"},
    "upstream": {"durations", "errors", "outbound", "tracking", "turns"},
    "durations": set(),
    "errors": set(),
    "descriptors": set(),
    "allocator": set(),
    "closing": set(),
    "turns": set(),
    "logs": {"api"},
    "loop_lag": {"durations"},
    "hosts": {"errors"},
    "listening": set(),
    "mlflow_settings": {"local"},
    "healthy": set(),
    "setting_groups": {"errors", "hosts"},
    "text_files": set(),
    "trace_variables": {"errors"},
    "settings": {"errors", "hosts", "mlflow_settings", "setting_groups", "text_files", "trace_variables"},
    "server": {"api", "closing", "errors", "hosts", "listening"},
    "tracing": {"api", "tracking", "upstream"},
    "welcome": {"api", "errors", "tracking"},
    "sample": set(),
}
BUILDERS = {
    "__main__",
    "app",
    "check",
    "connection",
    "identification",
    "locally",
    "metrics",
}  # they wire the rooms together


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


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may_know(module: str) -> None:
    """api and upstream know tracking, tracking knows neither, and nobody looks back."""
    part = part_of(module)
    inside = {part_of(name) for name in IMPORTS[module] if name.split(".")[0] == "service"} - {"", part}
    if part and part not in BUILDERS:
        assert inside <= MAY_IMPORT[part]


def test_every_part_has_a_rule() -> None:
    """A new room, or a new module beside the rooms, says here whom it may know."""
    assert {part_of(module) for module in MODULES} - {""} <= MAY_IMPORT.keys() | BUILDERS


def test_only_the_builders_know_the_settings() -> None:
    """Everything else is given plain values."""
    assert {part_of(module) for module, names in IMPORTS.items() if "service.settings" in names} <= BUILDERS


@pytest.mark.parametrize(
    ("library", "parts"),
    [
        ("mlflow", {"sample"}),
        ("numpy", {"sample"}),
        ("pydantic_settings", {"mlflow_settings", "setting_groups", "settings"}),
        ("jwt", {"auth"}),
        ("aiohttp", {"api", "auth", "upstream", "app", "check", "server", "logs", "metrics", "tracing"}),
        ("opentelemetry", {"tracing"}),
        ("pydantic", {"api", "connection", "mlflow_settings", "setting_groups", "settings"}),
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


@pytest.mark.parametrize("program", ["local.guard", "healthy"])
def test_small_programs_start_at_once(program: str) -> None:
    """guard.py and healthy.py are programs of their own and import nothing but the standard library."""
    assert {name.split(".")[0] for name in IMPORTS[f"service.{program}"]} <= sys.stdlib_module_names


def test_tracking_reads_no_environment_and_no_clock_but_the_injected() -> None:
    """Pure modules neither open sockets nor look at the environment."""
    pure = [
        "tracking.comparison",
        "tracking.directions",
        "tracking.names",
        "tracking.runs",
        "local.address",
        "local.environment",
        "upstream.filters",
        "upstream.wire",
        "upstream.lenient",
        "upstream.listing",
        "upstream.names",
        "errors",
    ]
    for name in pure:
        assert not {"os", "time", "socket", "asyncio", "random"} & IMPORTS[f"service.{name}"], name


@pytest.mark.parametrize("path", [*MODULES.values(), *sorted((ROOT / "tests").rglob("*.py"))], ids=str)
def test_a_file_has_one_subject(path: Path) -> None:
    """Past 300 lines a file wants to be two, and none is called utils."""
    assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES
    assert path.stem not in {"utils", "util", "helpers", "common", "misc"}
