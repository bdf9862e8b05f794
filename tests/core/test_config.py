"""Settings come from the environment over the project, and what is wrong with one names where it came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pools import config
from pools.errors import ConfigError
from pools.spec import Option, PoolSpec


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a ``pyproject.toml`` in a folder above the working directory."""
    folder = tmp_path / "src" / "deep"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return tmp_path / "pyproject.toml"


def values() -> dict[str, object]:
    return {name: setting.value for name, setting in config.settings().items()}


def test_every_setting_of_the_environment_is_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {
        "POOLS_POOL": "gevent",
        "POOLS_CUSTOM_POOL": "mine:Pool",
        "POOLS_CONCURRENCY": "auto",
        "POOLS_SOFT_TIMEOUT": "1.5",
        "POOLS_TIMEOUT": "3",
        "POOLS_PUTLOCKS": "True",
        "POOLS_MAX_QUEUED": "0",
        "POOLS_WHEN_FULL": "raise",
        "POOLS_CONTEXT": "empty",
    }
    for name, text in texts.items():
        monkeypatch.setenv(name, text)
    assert values() == {
        "pool": "gevent",
        "custom_pool": "mine:Pool",
        "concurrency": "auto",
        "soft_timeout": 1.5,
        "timeout": 3.0,
        "putlocks": True,
        "max_queued": 0,
        "when_full": "raise",
        "context": "empty",
    }


def test_the_environment_is_over_the_nearest_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write_text('[tool.pools]\npool = "solo"\nconcurrency = 4\n')
    monkeypatch.setenv("POOLS_CONCURRENCY", "8")
    assert config.settings()["concurrency"] == (8, "POOLS_CONCURRENCY")
    assert config.settings()["pool"] == ("solo", f"{project} [tool.pools] pool")
    assert config.pool_name() == "solo"


def test_only_the_nearest_project_is_read(project: Path) -> None:
    project.write_text('[tool.pools]\npool = "solo"\n')
    (project.parent / "src" / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert values() == {}
    assert config.pool_name() is None


def test_an_empty_variable_sets_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLS_CONCURRENCY", "")
    assert values() == {}


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("CONCURRENCY", "abc", 'not a positive number or "auto"'),
        ("CONCURRENCY", "0", 'not a positive number or "auto"'),
        ("CONCURRENCY", "2.5", 'not a positive number or "auto"'),
        ("SOFT_TIMEOUT", "soon", "not a positive number of seconds"),
        ("TIMEOUT", "-1", "not a positive number of seconds"),
        ("TIMEOUT", "nan", "not a positive number of seconds"),
        ("TIMEOUT", "inf", "not a positive number of seconds"),
        ("MAX_QUEUED", "-1", "not a number of jobs"),
        ("WHEN_FULL", "wait", "not block or raise"),
        ("CONTEXT", "none", "not copy or empty"),
        ("PUTLOCKS", "maybe", "not true or false"),
        ("CUSTOM_POOL", "mine", "not of the form module:Class"),
    ],
)
def test_a_variable_without_meaning_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, reason: str
) -> None:
    monkeypatch.setenv(f"POOLS_{name}", text)
    with pytest.raises(ConfigError) as caught:
        config.settings()
    assert str(caught.value) == f"POOLS_{name}={text}: {reason}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[tool.pools]\nconcurrency = true\n", ' [tool.pools] concurrency=True: not a positive number or "auto"'),
        ("[tool.pools]\ntimeout = false\n", " [tool.pools] timeout=False: not a positive number of seconds"),
        ("[tool.pools]\npool = 3\n", " [tool.pools] pool=3: not the name of a pool"),
        ("[tool.pools]\nwhen_full = ['block']\n", " [tool.pools] when_full=['block']: not block or raise"),
        ("[tool]\npools = 1\n", ": [tool.pools] is not a table"),
        ("[tool.pools\n", ": "),
        ("\udcff", ": "),
    ],
)
def test_a_setting_of_the_project_without_meaning_is_named(project: Path, text: str, reason: str) -> None:
    project.write_text(text, errors="surrogateescape")
    with pytest.raises(ConfigError) as caught:
        config.settings()
    assert str(caught.value).startswith(f"{project}{reason}")


def test_what_custom_stands_for(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"POOLS_CUSTOM_POOL=module:Class says, and it is not set"):
        config.custom_pool()
    monkeypatch.setenv("POOLS_CUSTOM_POOL", "mine:Pool")
    assert config.custom_pool() == "mine:Pool"


POOL = PoolSpec(
    "lake",
    "lake.pool:Lake",
    options=(
        Option("depth", "How deep.", type="count"),
        Option("rest", "How long.", env="LAKE_REST", type="seconds"),
        Option("water", "Which.", choices=("sweet", "salt")),
        Option("deep_sea", "Whether.", type="switch"),
        Option("shore", "Where."),
    ),
)


def test_the_options_of_a_pool_are_settings_of_their_types(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write_text('[tool.pools]\ndepth = 3\nrest = 2\nwater = "salt"\ndeep_sea = true\nshore = "north"\n')
    found = {name: setting.value for name, setting in config.settings(POOL).items()}
    assert found == {"depth": 3, "rest": 2.0, "water": "salt", "deep_sea": True, "shore": "north"}
    for name, text in {"POOLS_DEPTH": "5", "LAKE_REST": "0.5", "POOLS_DEEP_SEA": "false"}.items():
        monkeypatch.setenv(name, text)
    found = {name: setting.value for name, setting in config.settings(POOL).items()}
    assert found == {"depth": 5, "rest": 0.5, "water": "salt", "deep_sea": False, "shore": "north"}
    assert config.settings() == {}, "they are of this pool alone"


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("POOLS_DEPTH", "0", "not a positive number"),
        ("POOLS_DEPTH", "1.5", "not a positive number"),
        ("LAKE_REST", "-1", "not a positive number of seconds"),
        ("POOLS_WATER", "fresh", "not sweet or salt"),
        ("POOLS_DEEP_SEA", "very", "not true or false"),
    ],
)
def test_an_option_without_meaning_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, reason: str
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(ConfigError) as caught:
        config.settings(POOL)
    assert str(caught.value) == f"{name}={text}: {reason}"


def test_an_option_has_a_type_that_there_is() -> None:
    with pytest.raises(ValueError, match="type of option depth is 'fathoms', not one of text, count, seconds, switch"):
        Option("depth", "", type="fathoms")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="choices of option depth are not a tuple, or its type is not text"):
        Option("depth", "", type="count", choices=("1", "2"))
