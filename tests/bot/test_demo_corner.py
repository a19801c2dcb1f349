"""The administrator's corner of the demo shows commands that can be pasted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.demo import corner
from tests.test_docs import fault_of

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = [command for question in corner.QUESTIONS for command in question.commands]


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_can_be_typed(command: str) -> None:
    """It exists, with its options and arguments; capitals stand for what the one before has shown."""
    assert fault_of(command) is None


def test_the_corner_finds_the_demo(tmp_path: Path) -> None:
    """Its commands run in the demo's folder, whose settings are its owner's alone."""
    corner.keep_settings(tmp_path, {"TOKENS_TIME_ZONE": "Europe/Berlin"})
    assert (tmp_path / ".env").read_text() == "TOKENS_TIME_ZONE=Europe/Berlin\n"
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert f"cd {tmp_path}\n" in corner.text(tmp_path)
