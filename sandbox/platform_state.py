"""What the parts of a running workspace share."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sandbox import files
from sandbox.faults import Faults
from sandbox.files import Uploads
from sandbox.hold import Hold
from sandbox.homes import Homes
from sandbox.modals import Modals
from sandbox.model import ApiCall, Clock, File, Filled
from sandbox.rate_limit import PostLimit
from sandbox.response_urls import ResponseUrls
from sandbox.socket_mode import SocketHub
from sandbox.triggers import Trigger, Triggers
from sandbox.views import Place
from sandbox.workspace import Workspace


@dataclass(kw_only=True)
class Platform:
    """`deadline` is how many real seconds the app has for an answer; `base_url` is known once the server listens.

    `choices` are what people last chose in the menus of messages, by person, channel and `ts`. `file_delay` is how
    long after its completion an uploaded picture cannot be shown yet.
    """

    workspace: Workspace
    clock: Clock
    posts: PostLimit
    deadline: float = 3.0
    file_delay: timedelta = timedelta(0)
    base_url: str = ""
    hold: Hold = field(default_factory=Hold)
    calls: list[ApiCall] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    response_urls: ResponseUrls = field(default_factory=ResponseUrls)
    uploads: Uploads = field(default_factory=Uploads)
    triggers: Triggers = field(init=False)
    choices: dict[tuple[str, str, str], dict[Place, Filled]] = field(default_factory=dict)
    modals: Modals = field(init=False)
    homes: Homes = field(init=False)
    sockets: SocketHub = field(init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def soon(self, doing: Coroutine[Any, Any, None]) -> None:
        """Does something after what is under way, such as an answer that is to reach the app first."""
        task = asyncio.get_running_loop().create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def __post_init__(self) -> None:
        self.triggers = Triggers(deadline=self.deadline)
        self.modals = Modals(changed=self.workspace.announce)
        self.homes = Homes(changed=self.workspace.announce)
        self.sockets = SocketHub(warn=self.warnings.append)

    def can_show(self, slack_file: Mapping[str, object]) -> bool:
        """Whether this is a picture that was processed by now."""
        file = self.workspace.find_file(files.id_in(slack_file))
        return file is not None and bool(file.kind) and self.is_processed(file)

    def is_processed(self, file: File) -> bool:
        return self.clock() >= file.completed_at + self.file_delay

    def people(self) -> frozenset[str]:
        """Those who can be chosen in a menu of people, bots and guests too."""
        return frozenset(member.id for member in self.workspace.members if not member.deleted)

    def new_trigger(self, user: str, *, view: str = "") -> str:
        trigger = Trigger(user=user, issued_at=self.clock(), view=view)
        return self.triggers.issue(self.workspace.team_id, trigger)

    def response_url(self, key: str) -> str:
        return f"{self.base_url}/hooks/response/{key}"
