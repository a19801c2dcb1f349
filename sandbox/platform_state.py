"""What the parts of a running workspace share."""

import itertools
import secrets
from dataclasses import dataclass, field

from sandbox.faults import Faults
from sandbox.model import ApiCall, Clock
from sandbox.rate_limit import PostLimit
from sandbox.response_urls import ResponseUrls
from sandbox.socket_mode import SocketHub
from sandbox.workspace import Workspace


@dataclass(kw_only=True)
class Platform:
    """`deadline` is how many real seconds the app has for an answer; `base_url` is known once the server listens."""

    workspace: Workspace
    clock: Clock
    posts: PostLimit
    deadline: float = 3.0
    base_url: str = ""
    calls: list[ApiCall] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    response_urls: ResponseUrls = field(default_factory=ResponseUrls)
    sockets: SocketHub = field(init=False)
    _triggers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.sockets = SocketHub(warn=self.warnings.append)

    def new_trigger(self) -> str:
        return f"{next(self._triggers)}.{self.workspace.team_id}.{secrets.token_hex(16)}"

    def response_url(self, key: str) -> str:
        return f"{self.base_url}/hooks/response/{key}"
