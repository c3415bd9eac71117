"""The layout of the code: a file directly in `scripts/` is a command or common ground, a folder is one subject."""

import ast
from collections import Counter, defaultdict
from graphlib import TopologicalSorter
from importlib import import_module
from itertools import product
from pathlib import Path

import pytest

from scripts.project import Project
from scripts.record import freshness
from tests.conftest import TOP

# Rooms are the top-level files of scripts/ and its folders; an arrow leads from one to another that it imports.
MOST_ARROWS = 146
SOURCES = {
    ".".join(file.relative_to(TOP).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted((TOP / "scripts").rglob("*.py"))
}
TREES = {module: ast.parse(file.read_text(encoding="utf-8")) for module, file in SOURCES.items()}


def imports(tree: ast.AST) -> set[str]:
    """The project's modules that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in SOURCES else node.module for name in whole}
    return found & SOURCES.keys() - {"scripts"}


GRAPH = {module: imports(tree) - {module} for module, tree in TREES.items() if module != "scripts"}


def room(module: str) -> str:
    return module.split(".")[1]


ROOMS: dict[str, set[str]] = defaultdict(set)
for importer, imported in GRAPH.items():
    ROOMS[room(importer)] |= {room(module) for module in imported} - {room(importer)}

FOLDERS = {room(module) for module, file in SOURCES.items() if file.parent != TOP / "scripts"}


def is_main(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)


COMMANDS = {room(module) for module, tree in TREES.items() if any(map(is_main, tree.body))}


def test_the_graph_is_that_of_the_code() -> None:
    """Else the other tests would say nothing."""
    assert "scripts.core.layers" in GRAPH["scripts.core.frames"]
    assert {"report", "build", "draw", "describe", "setup"} <= COMMANDS
    assert {"core", "views", "formats", "stages", "builds", "tex", "record"} <= FOLDERS
    assert "numpy" not in ROOMS


@pytest.mark.parametrize("graph", [GRAPH, ROOMS], ids=["modules", "rooms"])
def test_imports_lead_only_downward(graph: dict[str, set[str]]) -> None:
    """There is an order of all modules, and one of all rooms, in which each imports only earlier ones."""
    order = list(TopologicalSorter(graph).static_order())
    assert len(order) == len(graph)


def test_fingerprints_of_code_cover_every_import() -> None:
    """Which they look for in its text, without parsing it: that would take too long."""
    for module, names in GRAPH.items():
        assert names <= set(freshness.imports(SOURCES[module].read_text(encoding="utf-8"))), module


def test_the_arithmetic_knows_no_file_and_no_drawing() -> None:
    assert ROOMS["core"] == {"errors"}


def test_nobody_imports_a_command() -> None:
    assert {
        (importer, command) for importer, command in product(ROOMS, COMMANDS) if command in ROOMS[importer]
    } == set()


def test_common_ground_imports_no_folder() -> None:
    common = ROOMS.keys() - FOLDERS - COMMANDS
    assert "project" in common
    assert {(name, folder) for name, folder in product(common, FOLDERS) if folder in ROOMS[name]} == set()


def test_there_are_few_arrows_between_rooms() -> None:
    assert sum(map(len, ROOMS.values())) < MOST_ARROWS


def test_a_name_has_one_meaning() -> None:
    """No two folders have a module of one name; a command may have that of the module which does its work."""
    names = Counter(file.stem for file in SOURCES.values() if file.parent.name != "scripts" and file.stem != "__init__")
    assert [name for name, count in names.items() if count > 1] in ([], ["catalogue"])  # of figures, and of views
    for name in names.keys() & COMMANDS:
        assert any(module.endswith(f".{name}") for module in GRAPH[f"scripts.{name}"])
    # Nor is a module named as a folder or as common ground.
    assert names.keys() & (ROOMS.keys() - COMMANDS) == set()


def test_no_module_has_a_place_at_import() -> None:
    """But the doctor and the set-up, which run before all others and in the project's own folder."""
    found = {
        (module, name)
        for module in SOURCES.keys() - {"scripts.doctor", "scripts.setup", "scripts.bench"}
        for name, value in vars(import_module(module)).items()
        if isinstance(value, Path | Project)
    }
    assert found == set()


def asked(tree: ast.AST) -> set[str]:
    """The variables of the environment that a module asks for by name."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            found.add(ast.unparse(node.slice))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("os.environ.get", "os.getenv"):
            found.add(ast.unparse(node.args[0]))
    return {name.strip("'") for name in found}


def test_only_a_project_knows_where_it_is_built() -> None:
    variables = {module: asked(tree) for module, tree in TREES.items()}
    own = {"BUILD", "THEME", "BACKGROUND", "SCALE"}
    assert variables["scripts.project"] == own
    assert [module for module, names in variables.items() if names & own] == ["scripts.project"]
