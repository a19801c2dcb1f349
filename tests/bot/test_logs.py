"""The log: from which level on, in which form, and never more than ids."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING

import pytest

from bot import logs, settings
from bot.logs import Style
from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AMOUNT, ADA = 987_654, "ada@example.com"


@pytest.fixture
def written() -> Iterator[Callable[[str], io.StringIO]]:
    """Lines are written in some style for the length of a test, and as before afterwards."""
    root = logging.getLogger()
    # Bolt gives its own loggers the level that the root has when an app is built, as other tests did before.
    below = [name for name in logging.root.manager.loggerDict if name.startswith("slack_")]
    loggers = [root, *map(logging.getLogger, {*logs.OURS, *logs.CHATTY, *below})]
    levels, handlers = [logger.level for logger in loggers], list(root.handlers)
    for handler in handlers:  # or setting up would close those of the test run
        root.removeHandler(handler)

    for name in below:
        logging.getLogger(name).setLevel(logging.NOTSET)

    def begin(text: str) -> io.StringIO:
        stream = io.StringIO()
        logs.set_up(logs.parse(text), stream)
        return stream

    yield begin
    root.handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("", Style("info", "text")),
        ("json", Style("info", "json")),
        ("warning", Style("warning", "text")),
        ("DEBUG, json", Style("debug", "json")),
        ("json error", Style("error", "json")),
    ],
)
def test_a_level_and_a_form_in_any_order(text: str, style: Style) -> None:
    """Whoever wants one of them leaves out the other."""
    assert settings.load({"TOKENS_LOG": text}).log == style


def test_another_word_is_named() -> None:
    """A typing error stops the bot with what it understands."""
    expected = r"TOKENS_LOG: 'verbose' is none of debug, info, warning, error, text, json"
    with pytest.raises(Refusal, match=expected):
        settings.load({"TOKENS_LOG": "json verbose"})


def test_each_run_of_a_job_is_no_line(written: Callable[[str], io.StringIO]) -> None:
    """What APScheduler says of every second is left out, and what we say of it is not."""
    stream = written("info")
    logging.getLogger("apscheduler.executors.default").info("Running job")
    logging.getLogger("apscheduler.scheduler").warning("Execution of job skipped")
    logging.getLogger("slack_sdk.web.base_client").error("Failed to send a request")
    logging.getLogger("scheduler.ticker").info("courier is well again after %s", "no_answer")
    assert stream.getvalue().endswith("Z INFO scheduler.ticker: courier is well again after no_answer\n")
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_a_level_is_the_least_that_is_written(written: Callable[[str], io.StringIO], level: str) -> None:
    """Ours from the level on; libraries that write what they receive never below INFO."""
    stream = written(f"json {level}")
    for name in ("handlers.http", "slack_bolt.App", "slack_sdk.socket_mode.x", "sqlalchemy.engine", "urllib3"):
        for at in logs.LEVELS:
            logging.getLogger(name).log(logging.getLevelNamesMapping()[at.upper()], "x")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    at_least = set(logs.LEVELS[logs.LEVELS.index(level) :])
    assert {line["level"] for line in lines if line["logger"] == "handlers.http"} == at_least
    assert {line["level"] for line in lines if line["logger"].startswith("slack")} == at_least - {"debug"}
    assert {line["level"] for line in lines if line["logger"] in {"sqlalchemy.engine", "urllib3"}} <= {
        "warning",
        "error",
    }


def raise_with(words: str) -> None:
    raise LookupError(words)


@pytest.mark.parametrize("form", logs.FORMS)
def test_an_exception_is_a_kind_and_a_place(written: Callable[[str], io.StringIO], form: str) -> None:
    """A library that logs an exception whole tells us where it was, and nothing of what it was about."""
    stream = written(form)
    words = f"{ADA} has {AMOUNT} tokens"
    try:
        raise_with(words)
    except LookupError:
        logging.getLogger("apscheduler.executors.default").exception("Job raised an exception")
    for expected in ("Job raised an exception", "LookupError", "in raise_with"):
        assert expected in stream.getvalue()
    for private in (ADA, str(AMOUNT)):
        assert private not in stream.getvalue()


def test_json_is_one_object_a_line(written: Callable[[str], io.StringIO]) -> None:
    """Line breaks in what somebody else wrote make no lines of their own, and a page is cut."""
    stream = written("json")
    logging.getLogger("handlers.http").warning("a\n%s", "<" * 9_000)
    [line] = stream.getvalue().splitlines()
    fields = json.loads(line)
    assert set(fields) == {"time", "level", "logger", "thread", "message"}
    assert fields["message"].endswith("<… (9,002 characters)")
    assert len(fields["message"]) < 4_100
