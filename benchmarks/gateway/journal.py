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
from litellm.litellm_core_utils.safe_json_dumps import safe_dumps  # type: ignore[import-not-found]  # the same

LEFT_OUT = {"messages", "response", "model_map_information", "model_parameters"}
SAID = ("service_tier", "background", "status", "created_at")


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
            kept = {name: value for name, value in payload.items() if name not in LEFT_OUT}
            # The price depends on it: without, the same call sent twice would not be the same.
            kept["response"] = _told(payload.get("response"))
            known_as = payload.get("model_map_information") or {}
            kept["model_map_information"] = {"model_map_key": known_as.get("model_map_key")}
            line = safe_dumps(kept)
            # One write of one line: several workers may share the file.
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")


def _told(answer: object) -> dict[str, Any] | None:
    """What an answer says of itself, and which parts it has, without what they say."""
    if not isinstance(answer, dict):
        return None
    told = {name: answer[name] for name in SAID if name in answer}
    parts = answer.get("output")
    if isinstance(parts, list):
        told["output"] = [{"type": p.get("type"), "id": p.get("id")} for p in parts if isinstance(p, dict)]
    return told


journal = Journal(Path(os.environ["TOKENS_BOT_JOURNAL"]))
