"""After a green patch nothing of ours, and nothing that we import before it, holds what the patch replaced."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.needs import needs

needs("gevent")

#: Prints every place in modules of ours and of the libraries of the core where an original of the patch is held:
#: module globals, class attributes, defaults and closures of functions.
SEARCH = """
import importlib, json, pkgutil, sys, types
import click, rich.console, rich.progress, rich.table, blinker
import gevent.monkey
import pools

for module in pkgutil.walk_packages(pools.__path__, "pools."):
    if module.name != "pools.__main__":
        importlib.import_module(module.name)

PACKAGES = {"pools", "pluggy", "stevedore", "blinker", "click", "rich"}
PLAIN = (type(None), bool, int, float, str, bytes, tuple, list, dict, set, frozenset, types.ModuleType)

originals = {}
for module, names in gevent.monkey.saved.items():
    if module not in sys.modules:
        continue  # gevent keeps its own arguments there as well
    for name, value in names.items():
        if not isinstance(value, PLAIN) and getattr(sys.modules[module], name, None) is not value:
            originals[id(value)] = f"{module}.{name}"


def held(where, value, seen):
    if id(value) in originals:
        yield f"{where} is the original {originals[id(value)]}"
    if id(value) in seen or str(getattr(value, "__module__", "")).partition(".")[0] not in PACKAGES:
        return
    seen.add(id(value))
    if isinstance(value, type):
        for name, attribute in list(vars(value).items()):
            yield from held(f"{where}.{name}", attribute, seen)
    elif isinstance(value, types.FunctionType):
        for default in (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()):
            yield from held(f"a default of {where}", default, seen)
        for cell in value.__closure__ or ():
            yield from held(f"a closure of {where}", cell.cell_contents, seen)


found, seen = [], set()
modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] in PACKAGES]
for module in modules:
    for name, value in list(vars(module).items()):
        found += held(f"{module.__name__}.{name}", value, seen)
print(json.dumps({"originals": len(originals), "modules": len(modules), "found": found}))
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pools", "exec", "-P", "gevent", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_nothing_of_ours_holds_what_the_patch_replaced() -> None:
    report = json.loads(run("-c", SEARCH).stdout)
    assert report["found"] == []
    assert report["originals"] > 40
    assert report["modules"] > 80


def test_the_search_finds_an_original_wherever_it_is_held() -> None:
    held = """
import gevent.monkey, types
module = types.ModuleType("rich.test")
sleep = gevent.monkey.get_original("time", "sleep")
def default(argument=sleep): ...
class Class: attribute = sleep
def make(value):
    def inner(): return value
    return inner
closure = make(sleep)
for thing in (default, closure, Class):
    thing.__module__ = "rich.test"
module.__dict__.update(name=sleep, default=default, closure=closure, Class=Class)
import sys
sys.modules["rich.test"] = module
"""
    assert json.loads(run("-c", held + SEARCH).stdout)["found"] == [
        "rich.test.name is the original time.sleep",
        "a default of rich.test.default is the original time.sleep",
        "a closure of rich.test.closure is the original time.sleep",
        "rich.test.Class.attribute is the original time.sleep",
    ]


def test_ssl_click_and_rich_are_imported_after_the_patch() -> None:
    imported = [
        line.rpartition("|")[2].strip() for line in run("-c", "import ssl, click, rich, pools.pool").stderr.splitlines()
    ]
    patched = imported.index("gevent.monkey")
    for name in ("ssl", "click", "rich", "pools.pool", "pools.cli.group", "subprocess", "queue"):
        assert imported.index(name) > patched, f"{name} was imported before the patch"
