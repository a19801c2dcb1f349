"""The state of a workspace: what is read, kept and refused."""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox import Message, Workspace, WorkspaceError
from sandbox.__main__ import EXAMPLE
from tests.sandbox.company import ADA, BEN, BOT, GENERAL, PLAN

NOW = datetime(2026, 11, 9, 10, 0, tzinfo=UTC)


def draft(text: str = "x", **more: Any) -> Message:  # noqa: ANN401 - any field of a message
    return Message(channel=GENERAL, ts="", author=ADA, text=text, **more)


def test_history_survives_a_restart(tmp_path: Path) -> None:
    """Messages, edits, deletions and direct conversations are there again; ephemeral messages are not."""
    file = tmp_path / "var" / "talk.jsonl"
    first = Workspace.from_dict(PLAN, history=file)
    kept, gone = (first.post(draft(text), now=NOW) for text in ("kept", "gone"))
    first.amend(kept, now=NOW, text="changed")
    first.remove(gone)
    first.post(draft("secret", ephemeral_to=ADA), now=NOW)
    dm = first.open_dm(ADA, BOT)
    first.close()
    with file.open("a", encoding="utf-8") as torn:
        torn.write('{"message": {"chan')
    second = Workspace.from_dict(PLAN, history=file)
    assert [message.text for message in second.messages(GENERAL, ADA)] == ["changed"]
    assert second.channel(dm.id).members == {ADA, BOT}
    assert "secret" not in file.read_text(encoding="utf-8")
    later = second.post(draft("later"), now=NOW)
    second.close()
    assert later.ts > kept.ts
    third = Workspace.from_dict(PLAN, history=file)
    assert [message.text for message in third.messages(GENERAL, ADA)] == ["changed", "later"]


def test_timestamps_are_unique_across_threads() -> None:
    """Posts from many threads at the same instant all get their own timestamp."""
    workspace = Workspace.from_dict(PLAN)
    threads = [threading.Thread(target=lambda: [workspace.post(draft(), now=NOW) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stamps = [message.ts for message in workspace.messages(GENERAL, ADA)]
    assert len(set(stamps)) == 200
    assert sorted(stamps) == stamps


def test_who_sees_what() -> None:
    """Private channels and direct conversations are closed to others, also to a reader who knows their id."""
    workspace = Workspace.from_dict(PLAN)
    dm = workspace.open_dm(ADA, BOT)
    workspace.post(Message(channel=dm.id, ts="", author=BOT, text="x"), now=NOW)
    assert {channel.name for channel in workspace.channels_of(BEN)} == {"general", "platform", "old-times"}
    assert workspace.messages(dm.id, BEN) == ()
    assert workspace.messages(dm.id, ADA) != ()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            {"members": [{"id": "ADA", "name": "ada", "real_name": "Ada"}]},
            "members[0]: id 'ADA' should begin with U or W",
        ),
        ({"members": [PLAN["members"][0] | {"tz": "Mars"}]}, "members[0]: tz 'Mars' is not a time zone"),
        ({"members": [PLAN["members"][0]] * 2}, "members: two of them are called 'U0ADA'"),
        ({"channels": [{"id": "C1", "name": "x", "members": ["U0X"]}]}, "C1: 'U0X' is not a member of the workspace"),
        ({"channels": [{"id": "C1", "name": "x", "topic": ""}]}, "channels[0]: "),
        ({"app": {"colour": "red"}}, "app: unknown field 'colour'"),
        ({"hints": [3]}, "hints: 3 is neither a command nor an object with a 'command'"),
    ],
)
def test_nonsense_is_named(change: dict[str, Any], complaint: str) -> None:
    """A description that makes no sense is refused with the field and the value."""
    with pytest.raises(WorkspaceError) as refusal:
        Workspace.from_dict(PLAN | change)
    assert str(refusal.value).startswith(complaint)


def test_the_example_is_good() -> None:
    """The workspace that comes along can be loaded, and its hints are commands that it has."""
    workspace = Workspace.load(EXAMPLE)
    commands = {command.command for command in workspace.app.commands}
    assert {hint["command"].split()[0] for hint in workspace.hints} <= commands
    assert json.loads(EXAMPLE.read_text())["name"] == workspace.name


def test_secrets_stay_out_of_reprs() -> None:
    """A printed app shows no token."""
    app = Workspace.from_dict(PLAN).app
    assert app.bot_token not in repr(app)
    assert app.app_token.startswith("xapp-")
