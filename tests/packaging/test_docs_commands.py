"""What the documentation tells people to type exists: commands, their options, and Python that compiles."""

from __future__ import annotations

import ast
import itertools
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pools.cli.arguments import read
from pools.cli.group import PoolsGroup

ROOT = Path(__file__).parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("*/*/README.md"), *ROOT.glob("docs/*.md")})
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = {"console", "shell", "sh", "bash"}


def blocks(page: Path, languages: set[str]) -> Iterator[str]:
    return (text for language, text in FENCE.findall(page.read_text()) if language in languages)


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of each ``pools`` command that a page shows, in a block or between backticks."""
    lines = [line for block in blocks(page, SHELL) for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"`(pools [^`]+)`", FENCE.sub("", page.read_text()))
    for line in lines:
        lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
        end = next((index for index, word in enumerate(words) if word[0] in "|<>;&"), len(words))
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words, end = words[1:], end - 1
        if words[:1] == ["pools"]:
            yield words[1:end]


SHOWN = [(page, words) for page in PAGES for words in commands(page)]


@pytest.mark.parametrize(
    ("page", "words"), SHOWN, ids=[f"{page.relative_to(ROOT)}: {' '.join(words)}" for page, words in SHOWN]
)
def test_a_command_in_the_documentation_exists(page: Path, words: list[str]) -> None:
    command: click.Command = PoolsGroup()
    context = click.Context(command, info_name="pools")
    while isinstance(command, click.Group):
        _, words, _ = command.make_parser(context).parse_args(list(words))
        if not words:
            return
        found = command.get_command(context, words[0])
        assert found is not None, f"{page}: {context.command_path} has no command {words[0]}"
        command, words = found, list(read(words[0], words[1:]).own)
        context = click.Context(command, info_name=command.name, parent=context)
    command.make_parser(context).parse_args(words)


EXAMPLES = list(enumerate(blocks(ROOT / "README.md", {"python"}), 1))
PYTHON = [(page, block) for page in PAGES for block in blocks(page, {"python"})]


@pytest.mark.parametrize(("page", "block"), PYTHON, ids=[f"{page.relative_to(ROOT)}" for page, _ in PYTHON])
def test_python_in_the_documentation_compiles(page: Path, block: str) -> None:
    compile(block, str(page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("block", [pytest.param(block, id=f"example {number}") for number, block in EXAMPLES])
def test_an_example_of_the_front_page_runs(block: str) -> None:
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert not done.stderr


def test_the_pool_that_contributors_are_shown_runs_jobs(tmp_path: Path) -> None:
    pool, declaration = itertools.islice(blocks(ROOT / "CONTRIBUTING.md", {"python"}), 2)
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "pool.py").write_text(pool)
    (shop / "plugin.py").write_text(declaration)
    program = (
        "import pools, shop.plugin\n"
        "with pools.open('shop.pool:Pool', concurrency=3) as pool:\n"
        "    print(shop.plugin.pools_pool().name, pool.name, sum(pool.map(abs, range(-50, 0))))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("lent lent 1275\n", "")


def test_the_documentation_shows_something() -> None:
    assert len(SHOWN) > 5
    assert len(PYTHON) > 5
