"""What is written to standard error, in lines for people or in JSON for programs (`TOKENS_LOG`).

Ids only: of an exception that some library logs whole, its kind and its place are written, never its words, which may
hold names and amounts. Libraries that write what they send and receive at DEBUG never get below INFO.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, TextIO, get_args

if TYPE_CHECKING:
    from types import TracebackType

Level = Literal["debug", "info", "warning", "error"]
Form = Literal["text", "json"]
LEVELS: tuple[Level, ...] = get_args(Level)
FORMS: tuple[Form, ...] = get_args(Form)

OURS = ("bot", "handlers", "programme", "scheduler", "store")
CHATTY = {
    "slack_bolt": logging.INFO,
    "slack_sdk": logging.INFO,
    "slack_sdk.web": logging.CRITICAL,
    "uvicorn": logging.INFO,
    "apscheduler": logging.ERROR,
}
"""The least level of libraries. APScheduler tells of every run, and the Web API's client of every attempt, with the
page that came instead of an answer; ours tell of what went wrong, once."""
MOST_CHARACTERS = 4_000
"""Of a message: a page that somebody sent instead of an answer can be long."""

Raised = tuple[type[BaseException], BaseException, "TracebackType | None"] | tuple[None, None, None]


class Style(NamedTuple):
    """From which level on lines are written, and how."""

    level: Level = "info"
    form: Form = "text"


def parse(text: str) -> Style:
    """A level, a form, or both, with a comma or blanks in between; a ValueError names the word that is neither."""
    style = Style()
    for word in text.lower().replace(",", " ").split():
        if level := next((level for level in LEVELS if level == word), None):
            style = style._replace(level=level)
        elif form := next((form for form in FORMS if form == word), None):
            style = style._replace(form=form)
        else:
            raise ValueError(f"{word!r} is none of {', '.join((*LEVELS, *FORMS))}")
    return style


def set_up(style: Style, stream: TextIO | None = None) -> None:
    """Write the lines of this process from now on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Lines() if style.form == "text" else _Json())
    level = logging.getLevelNamesMapping()[style.level.upper()]
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    for name, least in CHATTY.items():
        logging.getLogger(name).setLevel(max(level, least))


def _said(record: logging.LogRecord) -> str:
    said = record.getMessage()
    return said if len(said) <= MOST_CHARACTERS else f"{said[:MOST_CHARACTERS]}… ({len(said):,} characters)"


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _where(raised: Raised) -> str:
    """The kind of an exception and its place, without its words."""
    kind, _, place = raised
    return f"{'' if kind is None else kind.__qualname__}\n{''.join(traceback.format_tb(place))}".rstrip()


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = f"{_at(record)} {record.levelname} {record.name}: {_said(record)}"
        return f"{line}\n{_where(record.exc_info)}" if record.exc_info else line


class _Json(logging.Formatter):
    """One object a line: `time`, `level`, `logger`, `thread`, `message`, and `exception` where there was one."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": _at(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "thread": record.threadName,
            "message": _said(record),
        }
        if record.exc_info:
            fields["exception"] = _where(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)
