"""What the documentation tells people to type exists: commands and their options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pools.cli.arguments import read
from pools.cli.group import PoolsGroup
from tests.packaging.pages import FENCE, PAGES, ROOT, blocks

SHELL = {"console", "shell", "sh", "bash"}


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
def test_a_command_in_the_documentation_exists(page: Path, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    command: click.Command = PoolsGroup()
    context = click.Context(command, info_name="pools")
    while isinstance(command, click.Group):
        _, words, _ = command.make_parser(context).parse_args(list(words))
        if not words:
            return
        found = command.get_command(context, words[0])
        assert found is not None, f"{page}: {context.command_path} has no command {words[0]}"
        arguments = read(words[0], words[1:])
        if arguments.pool is not None:  # its options depend on the pool
            monkeypatch.setenv("POOLS_POOL", arguments.pool)
        command, words = found, list(arguments.own)
        context = click.Context(command, info_name=command.name, parent=context, **command.context_settings)
    command.make_parser(context).parse_args(words)


def test_the_documentation_shows_commands() -> None:
    assert len(SHOWN) > 5
