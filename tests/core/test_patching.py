"""Patches are applied once, in order, with their options; a missing, late or conflicting one is told of."""

from __future__ import annotations

import json

import pytest

from tests.core.fake_plugins import Site

WARN = "import warnings; warnings.simplefilter('error'); "


def test_a_patch_is_applied_once_with_the_options_of_the_environment(site: Site) -> None:
    site.patched_pool("green")
    code = (
        "import json, pools; pools.patch('green'); pools.patch('green'); import green; print(json.dumps(green.applied))"
    )
    assert site.evaluate(code) == [{}]
    assert site.evaluate(code, GREEN_THREAD="N", GREEN_OTHER="x") == [{"thread": "N"}]


def test_a_pool_without_its_patch_is_refused_with_what_to_do(site: Site) -> None:
    site.patched_pool("green")
    assert site.error("import pools; pools.open('green')") == (
        "pools.errors.PatchError: pool green needs the patch green, and it was not applied: run the program with "
        "`pools exec -P green yourscript.py`, or make `import pools; pools.patch('green')` its first line "
        '(patch="off" opens the pool regardless)'
    )


@pytest.mark.parametrize(
    "first",
    ["pools.patch('green')", "import green_patch; green_patch.apply({})", "opts = {'patch': 'off'}"],
    ids=["patched", "patched by the program", "off"],
)
def test_a_pool_is_opened_patched_or_when_told_that_it_need_not_be(site: Site, first: str) -> None:
    site.patched_pool("green")
    code = f"import json, pools; opts = {{}}; {first}; pools.open('green', **opts).stop(); print(json.dumps('done'))"
    assert site.evaluate(code) == "done"


def test_a_patch_of_the_program_itself_is_not_applied_again(site: Site) -> None:
    site.patched_pool("green")
    code = """
import json, green, pools
green.applied.append("self")
pools.patch("green")
print(json.dumps(green.applied))
"""
    assert site.evaluate(code) == ["self"]


def test_each_module_that_was_imported_too_early_is_warned_of(site: Site) -> None:
    site.patched_pool("green", before=("colorsys", "sndhdr_none", "wave"))
    done = site.run("-c", "import colorsys, wave, pools\npools.patch('green')")
    warnings = [line for line in done.stderr.splitlines() if "Warning" in line]
    assert done.returncode == 0
    assert warnings == [
        f"<string>:2: PatchWarning: {module} was imported before the patch green: what it took from the standard "
        "library until now stays unpatched (patch first, on the first line of the program)"
        for module in ("colorsys", "wave")
    ]


@pytest.mark.parametrize(("first", "second"), [("green", "blue"), ("blue", "green")])
def test_patches_that_conflict_are_refused_whichever_comes_first(site: Site, first: str, second: str) -> None:
    site.patched_pool("green", conflicts=["blue"])
    site.patched_pool("blue")
    assert site.error(f"import pools; pools.patch({first!r}); pools.patch({second!r})") == (
        f"pools.errors.PatchError: the patch {second} conflicts with the patch {first}, which was applied: "
        "use pools of one of them in this process, and the others in processes of their own"
    )


def test_opening_a_pool_whose_patch_conflicts_names_both(site: Site) -> None:
    site.patched_pool("green", conflicts=["blue"])
    site.patched_pool("blue", conflicts=["green"])
    error = site.error("import pools; pools.patch('blue'); pools.open('green')")
    assert error.startswith("pools.errors.PatchError: the patch green conflicts with the patch blue, which was applied")


def test_a_conflict_with_a_patch_of_the_program_itself_is_refused(site: Site) -> None:
    site.patched_pool("green", conflicts=["blue"])
    site.patched_pool("blue")
    error = site.error("import blue, pools; blue.applied.append('self'); pools.patch('green')")
    assert error.startswith("pools.errors.PatchError: the patch green conflicts with the patch blue, which was applied")


def test_a_conflict_costs_no_import_of_the_other_plugin(site: Site) -> None:
    site.patched_pool("green", conflicts=["blue"])
    site.patched_pool("blue")
    code = "import json, sys, pools; pools.patch('green'); print(json.dumps([m for m in sys.modules if 'blue' in m]))"
    assert site.evaluate(code) == []


EXTENSION = """
from pools.hooks import hookimpl
from pools.spec import PatchRequirement

@hookimpl
def pools_patches(spec):
    if spec.name == "green":
        return {}
"""


def test_an_extension_adds_patches_which_come_after_those_of_the_pool(site: Site) -> None:
    site.patched_pool("green")
    site.patched_pool("driver")
    site.extension("extra", EXTENSION.format('[PatchRequirement("driver", "driver_patch")]'))
    code = """
import json, pools
pools.patch("green")
import driver, green
print(json.dumps([green.applied, driver.applied, "green_patch" in driver.loaded, "driver" in green.loaded]))
"""
    assert site.evaluate(code) == [[{}], [{}], True, False]
    assert "pool green needs the patch driver" in site.error(
        "import pools, green; green.applied.append('self'); pools.open('green')"
    )


def test_the_patches_of_extensions_come_in_the_order_of_their_names_and_each_once(site: Site) -> None:
    site.patched_pool("green")
    for name in ("driver", "other", "third"):
        site.patched_pool(name)
    site.extension("bee", EXTENSION.format('[PatchRequirement("driver", "driver_patch")]'))
    site.extension("ant", EXTENSION.format('[PatchRequirement(n, f"{n}_patch") for n in ("third", "driver")]'))
    site.extension("cow", EXTENSION.format('[PatchRequirement("other", "other_patch")]'))
    code = """
import json, pools
pools.patch("green")
import driver, green, other, third
order = [green, third, driver, other]
print(json.dumps([[m.__name__ for m in order if m.__name__ in module.loaded] for module in order] + [driver.applied]))
"""
    order = ["green", "third", "driver", "other"]
    assert site.evaluate(code) == [order[:1], order[:2], order[:3], order, [{}]]
    shown = json.loads(site.command("info", "green", "--json").stdout)["patches"]
    assert [(patch["name"], patch["added_by"]) for patch in shown] == [
        ("green", None),
        ("third", "extension ant of pools-ant 1.0"),
        ("driver", "extension ant of pools-ant 1.0"),
        ("other", "extension cow of pools-cow 1.0"),
    ]
    assert "added by           extension cow of pools-cow 1.0" in site.command("info", "green").stdout


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("driver", "extension ant of pools-ant 1.0", "extension bee of pools-bee 1.0"),
        ("green", "its spec", "extension ant of pools-ant 1.0"),
    ],
)
def test_one_name_for_two_patches_is_an_error_that_names_both(site: Site, name: str, first: str, second: str) -> None:
    site.patched_pool("green")
    site.extension("ant", EXTENSION.format(f'[PatchRequirement("{name}", "ant_patch")]'))
    site.extension("bee", EXTENSION.format(f'[PatchRequirement("{name}", "bee_patch")]'))
    assert site.error("import pools; pools.patch('green')") == (
        f"pools.errors.PluginError: pool green: the patch {name} of {second} is another one than that of {first}: "
        "uninstall one of them"
    )


PARTS = "import blue, blue_patch\nblue_patch.is_begun = lambda: True\n"


@pytest.mark.parametrize("opens", ["pools.patch('green')", "pools.open('green', patch='require')"])
def test_a_part_of_a_patch_is_enough_for_a_conflict(site: Site, opens: str) -> None:
    site.patched_pool("green", conflicts=["blue"])
    site.patched_pool("blue")
    error = site.error(f"{PARTS}import pools; {opens}")
    assert error.startswith("pools.errors.PatchError: the patch green conflicts with the patch blue, which was applied")
    assert site.evaluate(f"{PARTS}import json, pools; pools.patch('blue'); print(json.dumps(blue.applied))") == [{}]


def test_a_conflict_that_the_program_makes_after_the_patch_is_found_when_the_pool_is_opened(site: Site) -> None:
    site.patched_pool("green", conflicts=["blue"])
    site.patched_pool("blue")
    error = site.error("import pools; pools.patch('green'); import blue; blue.applied.append('x'); pools.open('green')")
    assert error.startswith("pools.errors.PatchError: the patch green conflicts with the patch blue, which was applied")


def test_two_patches_of_one_pool_that_conflict_are_refused_before_either_is_applied(site: Site) -> None:
    site.patched_pool("green")
    site.extension("extra", EXTENSION.format('[PatchRequirement("blue", "green_patch", conflicts=("green",))]'))
    code = """
import json, pools
try:
    pools.patch("green")
except pools.errors.PatchError as error:
    import green
    print(json.dumps([str(error), green.applied]))
"""
    message, applied = site.evaluate(code)
    assert message.startswith("the patch blue conflicts with the patch green, which is to be applied: ")
    assert applied == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("['psycopg']", "pools_patches for pool green raised TypeError: 'psycopg' is not a PatchRequirement"),
        ("3", "pools_patches for pool green raised TypeError: 'int' object is not iterable"),
        ("1 / 0", "pools_patches for pool green raised ZeroDivisionError: division by zero"),
    ],
)
def test_an_extension_that_gives_no_patches_is_refused(site: Site, given: str, reason: str) -> None:
    site.patched_pool("green")
    site.extension("extra", EXTENSION.format(given))
    assert site.error("import pools; pools.patch('green')") == (
        f"pools.errors.PluginError: extension extra of pools-extra 1.0: {reason}"
    )


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "import no_such",
            "the patch green does not import: green_patch: ModuleNotFoundError: No module named 'no_such'",
        ),
        ("def apply(options): ...", "the patch green cannot be used: green_patch has no is_applied()"),
        (
            "def is_applied(): return False\ndef apply(options): 1 / 0",
            "the patch green failed: ZeroDivisionError: division by zero",
        ),
        (
            """
from pools.errors import PatchError
def is_applied(): return False
def apply(options): raise PatchError("GREEN_THREAD=x: not Y or N")
""",
            "GREEN_THREAD=x: not Y or N",
        ),
    ],
)
def test_a_patch_that_fails_says_why(site: Site, source: str, reason: str) -> None:
    site.patched_pool("green")
    site.module("green_patch", source)
    assert site.error("import pools; pools.patch('green')") == f"pools.errors.PatchError: {reason}"


def test_a_pool_that_needs_no_patch_is_patched_without_effect(site: Site) -> None:
    site.pool("alpha")
    assert site.evaluate("import json, pools; pools.patch('alpha'); print(json.dumps(pools.names() != []))") is True
