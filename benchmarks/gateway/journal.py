"""Runs inside LiteLLM: keeps every payload on disk, so that what the callback loses can be sent again.

One payload a line, in the file that TOKENS_BOT_JOURNAL names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from litellm.integrations.custom_logger import (  # type: ignore[import-not-found]  # in var/gateway-venv alone
    CustomLogger,
)
from tokens_bot_litellm import payloads  # type: ignore[import-not-found]  # the same


class Journal(CustomLogger):  # type: ignore[misc]  # its types are in the other venv
    """Appends at once: what is in the file outlives the process."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    async def async_log_success_event(self, kwargs: dict[str, Any], **_: object) -> None:
        self._keep(kwargs)

    async def async_log_failure_event(self, kwargs: dict[str, Any], **_: object) -> None:
        self._keep(kwargs)

    def _keep(self, kwargs: dict[str, Any]) -> None:
        payload = kwargs.get("standard_logging_object")
        if payload:
            # What the plugin keeps: without it the same call sent twice would not be the same.
            line = payloads.encoded(payloads.trimmed(payload), "")
            # One write of one line: several workers may share the file.
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")


journal = Journal(Path(os.environ["TOKENS_BOT_JOURNAL"]))
