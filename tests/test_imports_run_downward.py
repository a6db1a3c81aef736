"""The rooms may import only what lies below them."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "pyro_nem": set(),
    "models": {"pyro_nem"},
    "inference": {"pyro_nem", "models"},
    "experiments": {"pyro_nem", "models", "inference"},
}
FILES = [(room, path) for room in MAY_IMPORT for path in sorted((ROOT / room).rglob("*.py"))]


KINDS = {"frames", "images", "sequences"}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import on line {node.lineno}"
            yield node.module


def test_every_room_has_files():
    assert {room for room, _ in FILES} == set(MAY_IMPORT)


@pytest.mark.parametrize(("room", "path"), FILES, ids=[str(p.relative_to(ROOT)) for _, p in FILES])
def test_imports_run_downward(room, path):
    ours = {name.split(".")[0] for name in imported(path)} & {*MAY_IMPORT, "tests"}
    assert ours <= MAY_IMPORT[room] | {room}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_kinds_of_experiments_know_nothing_of_each_other(kind):
    paths = sorted((ROOT / "experiments" / kind).rglob("*.py"))
    assert paths
    for path in paths:
        for name in imported(path):
            room, *inside = name.split(".")
            others = {*inside[:1]} & KINDS - {kind}
            assert room != "experiments" or not others, f"{path}: imports {name}"
