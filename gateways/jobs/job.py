"""A training job as the bot is told of it: what it is expected to use, and what it used between two reports."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

GPU_SECONDS = "tokens_bot.usage.gpu_seconds"


@dataclass(frozen=True, slots=True)
class Job:
    """Whose job it is, where it runs, and how long it should take. `model` may be empty where a service has one."""

    id: str
    user: str
    service: str
    model: str
    project: str
    gpus: int
    seconds: int
    """What it is expected to take."""

    def hold(self, keep_for: int) -> dict[str, Any]:
        """What is asked for before it starts; it lapses after `keep_for` seconds without a word."""
        asked = {
            "id": self.id,
            "kind": "job",
            "user": self.user,
            "service": self.service,
            "model": self.model,
            "project": self.project,
            "estimate": {GPU_SECONDS: self.gpus * self.seconds},
            "expires_in": keep_for,
        }
        return {name: value for name, value in asked.items() if value != ""}

    def gpu_seconds(self, elapsed: float) -> int:
        """What was used by then: of every second that began, all its GPUs."""
        return self.gpus * math.ceil(elapsed)

    def event(self, part: str, used: int, at: datetime, *, source: str, provider: str, model: str) -> dict[str, Any]:
        """The CloudEvent of one part: what was used since the part before. `part` is no other's of this job."""
        data = {
            "user.email" if "@" in self.user else "user.id": self.user,
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            GPU_SECONDS: used,
            "tokens_bot.project": self.project,
        }
        return {
            "specversion": "1.0",
            "id": f"{self.id}/{part}",
            "source": source,
            "type": "gen_ai.usage",
            "time": at.isoformat(),
            "data": {name: value for name, value in data.items() if value != ""},
        }
