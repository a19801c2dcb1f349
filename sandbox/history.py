"""The conversation on disk, so that a second start shows the first one's messages.

A file of JSON lines, only ever appended to while the workspace runs. Ephemeral messages never reach it. What is in
uploaded files is kept in a folder beside it.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TextIO

from sandbox.model import File, Json, Message


class History:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def read(self) -> Iterator[Json]:
        """Every whole line; a last line that a crash cut short is passed over."""
        if not self._path.exists():
            return
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue

    def keep(self, message: Message) -> None:
        if not message.ephemeral_to:
            self._write({"message": asdict(message)})

    def forget(self, message: Message) -> None:
        if not message.ephemeral_to:
            self._write({"deleted": [message.channel, message.ts]})

    def keep_dm(self, channel: str, members: frozenset[str]) -> None:
        self._write({"dm": channel, "members": sorted(members)})

    def keep_file(self, file: File, content: bytes) -> None:
        """The bytes come first: a record never names a file that is not there whole."""
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f"{file.id}.part"
        unfinished.write_bytes(content)
        unfinished.replace(self._folder / file.id)
        self._write({"file": asdict(file) | {"completed_at": file.completed_at.isoformat()}})

    def recall_file(self, record: Json) -> tuple[File, bytes] | None:
        """Nothing, if the folder was emptied."""
        file = File(**{**record, "completed_at": datetime.fromisoformat(record["completed_at"])})
        place = self._folder / file.id
        return (file, place.read_bytes()) if place.exists() else None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def _folder(self) -> Path:
        return self._path.with_name(f"{self._path.stem}.files")

    def _write(self, record: Json) -> None:
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._end_last_line()
            self._file = self._path.open("a", encoding="utf-8")
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._file.flush()

    def _end_last_line(self) -> None:
        """Without this, the first new record would be glued to a line that a crash cut short."""
        if self._path.exists() and not self._path.read_bytes().endswith(b"\n"):
            with self._path.open("a", encoding="utf-8") as file:
                file.write("\n")
