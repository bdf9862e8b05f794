"""The shape of the source tree: which way imports run, what may be imported early, how long a module is."""

from __future__ import annotations

import ast
import functools
import graphlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "src" / "pools"
PLUGINS = sorted([*ROOT.glob("plugins/*/src/pools_*"), *ROOT.glob("hosts/*/src/pools_*")])

#: The core's modules from the bottom up: a module imports from its own layer or from one below it. A package stands
#: for all of its modules.
LAYERS = [
    line.split()
    for line in (
        "errors states spec values program compatibility parking",
        "signals hooks limits timer uncut loop thread_loop stats slots permits ledger watchers urgent watchdog",
        "vigil metadata current discovery call announcements execution job options ending future mapping native_log",
        "config patching reports lifecycle engine pool",
        "strangers registry problems restart executor aio foreign",
        "green_options green_slot green_interrupts blocking green_event green green_timer",
        "__init__ batch doctor scaffold",
        "testing",
        "cli",
        "boot __main__",
    )
]

#: The imports that may run the other way, each with its reason.
EXCEPTIONS = {
    ("pools.spec", "pools.registry"): "the function pools.spec(name) has the name of the module, which can be called",
    ("pools.pool", "pools.aio"): "pool.run() is a method, and asyncio is imported at its first call",
}

#: Modules of the core for the plugins of green pools, which depend on greenlet.
KNOW_GREENLETS = {"pools.green", "pools.green_slot", "pools.green_interrupts", "pools.green_event"}

GREEN = {"gevent", "eventlet", "greenlet"}

#: What a plugin's declaration, which is read before the patch, must not bring in.
TOO_EARLY = GREEN | {"billiard", "ssl", "multiprocessing", "concurrent.futures.thread", "asyncio", "click", "rich"}


@functools.cache
def modules() -> list[Path]:
    found = [path for root in (CORE, *PLUGINS) for path in sorted(root.rglob("*.py"))]
    # What `pools new` copies is a distribution of its own.
    return [path for path in found if CORE / "scaffold" not in path.parents or path.parent.name == "scaffold"]


def core_modules() -> list[Path]:
    return [path for path in modules() if CORE in path.parents]


@functools.cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def module_name(path: Path) -> str:
    parts = path.relative_to(next(parent for parent in path.parents if parent.name == "src")).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of every module that this one imports when it runs, wherever in it the import stands."""
    known = {module_name(module) for module in modules()}
    waiting: list[ast.AST] = [parse(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            waiting.extend(node.orelse)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            assert node.level == 0, f"{path}, line {node.lineno}: {module} is relative; imports are absolute here"
            names = [f"{module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else module for name in names)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def layer(module: str) -> int:
    """Where a module of the core stands in ``LAYERS``."""
    part = module.split(".")[1] if "." in module else "__init__"
    for height, names in enumerate(LAYERS):
        if part in names:
            return height
    pytest.fail(f"{module} has no layer: give it one in LAYERS")


@pytest.mark.parametrize("path", core_modules(), ids=module_name)
def test_imports_in_the_core_run_one_way(path: Path) -> None:
    name = module_name(path)
    height = layer(name)
    ours = {other for other in imports(path) if other.partition(".")[0] == "pools" and (name, other) not in EXCEPTIONS}
    wrong = sorted(other for other in ours if layer(other) > height)
    assert not wrong, f"{name} imports from above itself: {', '.join(wrong)}"


def test_every_module_of_the_core_has_its_place_in_the_architecture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    described = {line.split()[0].partition("/")[0] for line in page.splitlines() if line.startswith("    ")}
    parts = {module_name(path).split(".")[1] for path in core_modules() if path.parent != CORE or path.stem[0] != "_"}
    missing = sorted(parts - described)
    assert not missing, f"docs/architecture.md does not say what these are: {', '.join(missing)}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for path in modules():
        name = module_name(path)
        graph[name] = {other for other in imports(path) if other != name and (name, other) not in EXCEPTIONS}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("path", core_modules(), ids=module_name)
def test_the_core_imports_no_plugin_and_no_library_of_one(path: Path) -> None:
    may = {"greenlet"} if module_name(path) in KNOW_GREENLETS else set()
    tops = {name.partition(".")[0] for name in imports(path)}
    wrong = {top for top in tops if top.startswith("pools_") or top in GREEN | {"billiard"}} - may
    assert not wrong, f"{module_name(path)} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_plugin_imports_the_core_and_no_other_plugin(plugin: Path) -> None:
    for path in sorted(plugin.rglob("*.py")):
        tops = {name.partition(".")[0] for name in imports(path)}
        wrong = {top for top in tops if top.startswith("pools_")} - {plugin.name}
        assert not wrong, f"{module_name(path)} imports {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_a_declaration_imports_only_what_declarations_are_made_of(plugin: Path) -> None:
    ours = {name for name in imports(plugin / "plugin.py") if name.startswith("pools")}
    assert ours <= {"pools.spec", "pools.hooks"}


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_loading_a_declaration_brings_in_neither_its_pool_nor_what_a_patch_must_precede(plugin: Path) -> None:
    code = f"import sys, json, {plugin.name}.plugin; print(json.dumps(list(sys.modules)))"
    loaded = set(json.loads(subprocess.check_output([sys.executable, "-I", "-c", code], text=True)))
    assert f"{plugin.name}.plugin" in loaded
    implementation = {module_name(path) for path in plugin.glob("*.py")} - {plugin.name, f"{plugin.name}.plugin"}
    assert not loaded & (TOO_EARLY | implementation)


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_a_module_has_one_concept_and_300_lines_at_most(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


def defined(tree: ast.AST) -> Iterator[str]:
    """Yield every name that a module gives to something: functions, classes, variables, attributes of ``self``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
            yield node.attr


@functools.cache
def names_of_a_distribution(package: str) -> set[str]:
    return {name for path in modules() if package in path.parts for name in defined(parse(path))}


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_nobody_touches_the_private_names_of_others(path: Path) -> None:
    """``self._name`` is of this distribution, so no base class's from elsewhere; any other is of this module."""
    documented = {"sys._getframe", "sys._current_frames", "os._exit"}
    # Without it a forked child, at its end, terminates the host's own processes.
    documented.add("multiprocessing.process._children")
    # What a fresh child of a Celery worker has to be told, and Celery's own children tell themselves.
    documented |= {"celery._state", "celery._state._set_task_join_will_block"}
    # There is no public way to be called before the executors of the standard library end.
    documented.add("threading._register_atexit")
    # Nor to have the logging module take another lock.
    documented.add("logging._lock")
    # Nor to end the wait for messages of kombu's transport for Redis, which nothing else does.
    documented.add("self._cycle._fd_to_chan")
    # The public methods of named tuples.
    of_tuples = {"_asdict", "_replace"}
    tree = parse(path)
    family = names_of_a_distribution(module_name(path).partition(".")[0])
    own = set(defined(tree))
    wrong = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            allowed = family if ast.unparse(node.value) in ("self", "cls", "super()") else own
            if node.attr not in allowed | of_tuples and ast.unparse(node) not in documented:
                wrong.append(f"line {node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            wrong += [f"line {node.lineno}: import {alias.name}" for alias in node.names if alias.name.startswith("_")]
    assert not wrong, f"{module_name(path)}: {'; '.join(wrong)}"
