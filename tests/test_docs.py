"""The documents name only what exists: files, headings, commands with their options, and subcommands of `/tokens`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from bot import manifest
from bot.cli import main

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]+))?\)")
FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`]+)`")
END_OF_COMMAND = re.compile(r" (?:#|&&|\||>|\$ ).*")


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors_of(document: Path) -> set[str]:
    return {slug(line.lstrip("#")) for line in FENCED.sub("", document.read_text()).splitlines() if line[:1] == "#"}


def code_in(text: str) -> list[str]:
    """Every line of a fenced block, and what stands between backticks elsewhere."""
    lines = [line.strip().removeprefix("$ ") for block in FENCED.findall(text) for line in block.splitlines()]
    return [line for line in lines if line] + [" ".join(span.split()) for span in INLINE.findall(FENCED.sub("", text))]


def is_command(code: str) -> bool:
    """Whether it calls `tokens-bot`, or names a subcommand of one of its groups, such as `people import`."""
    first, *rest = code.split()
    if first == "tokens-bot":
        return True
    is_variable_of_a_shell = bool(rest) and "=" in rest[0]  # `export` is a group of ours and a word of the shell
    return bool(rest) and not is_variable_of_a_shell and isinstance(found(main, first), click.Group)


def found(command: click.Command, word: str) -> click.Command | None:
    return command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None


def fault_of(code: str) -> str | None:
    """What is wrong with a call: a command, an option or an argument that does not exist."""
    words = shlex.split(END_OF_COMMAND.sub("", code).removeprefix("tokens-bot"))
    command: click.Command = main
    while words and isinstance(command, click.Group) and not words[0].startswith("-") and not words[0].isupper():
        below = found(command, words[0])
        if below is None:
            return f"{words[0]!r} is no command"
        command, words = below, words[1:]
    if isinstance(command, click.Group):
        return None
    try:
        _, left, _ = command.make_parser(click.Context(command, **command.context_settings)).parse_args(words)
    except click.UsageError as error:
        return error.format_message()
    return f"{left} is too much" if left else None


def test_every_relative_link_leads_to_a_file_and_a_heading_that_exist() -> None:
    """A document can be moved only together with what points at it."""
    links = [(document, *link) for document in DOCUMENTS for link in LINK.findall(document.read_text())]
    broken = []
    for document, path, anchor in links:
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(f"{name_of(document)}: {path}#{anchor}")
    assert links
    assert broken == []


def test_every_command_line_in_a_document_can_be_typed() -> None:
    """A command, option or argument that is renamed is renamed in the documents too."""
    calls = [(document, code) for document in DOCUMENTS for code in code_in(document.read_text()) if is_command(code)]
    faults = [f"{name_of(document)}: {code}: {fault}" for document, code in calls if (fault := fault_of(code))]
    assert calls
    assert faults == []


@pytest.mark.parametrize(
    "code",
    [
        "tokens-bot grant",
        "tokens-bot people imprt people.csv",
        "tokens-bot verify --jsn",
        "people import one.csv two.csv",
    ],
)
def test_a_command_line_that_cannot_be_typed_is_found(code: str) -> None:
    """A wrong command, subcommand, option or argument does not pass for a right one."""
    assert is_command(code)
    assert fault_of(code) is not None


def test_every_test_that_a_document_names_exists() -> None:
    """Evidence that is named is there: a test that is renamed is renamed in the documents too."""
    named = {
        (document, code)
        for document in DOCUMENTS
        for code in code_in(document.read_text())
        if code.startswith("tests/") and ".py" in code
    }
    missing = []
    for document, code in named:
        path, _, test = code.partition("::")
        if not (ROOT / path).is_file() or (test and f"def {test}(" not in (ROOT / path).read_text()):
            missing.append(f"{name_of(document)}: {code}")
    assert named
    assert missing == []


def test_every_subcommand_of_tokens_in_a_document_exists() -> None:
    """What a document tells people to type in Slack is answered there."""
    named = {
        code.split()[1]
        for document in DOCUMENTS
        for code in code_in(document.read_text())
        if code.startswith("/tokens ")
    }
    hint = manifest.build()["features"]["slash_commands"][0]["usage_hint"]
    assert named
    assert named - set(hint.split(" | ")) == set()
