"""A workspace on your own machine: the chat platform's Web API, Socket Mode and a page in the browser.

The bot reaches it only through HTTP and WebSocket, with the platform's own client libraries. Nothing of the bot is
imported here.
"""

from sandbox.faults import Fault
from sandbox.model import (
    Answer,
    Channel,
    Control,
    File,
    Home,
    InstalledApp,
    Member,
    Message,
    SlashCommand,
    UserGroup,
    View,
)
from sandbox.server import Sandbox
from sandbox.workspace import Workspace, WorkspaceError

__all__ = [
    "Answer",
    "Channel",
    "Control",
    "Fault",
    "File",
    "Home",
    "InstalledApp",
    "Member",
    "Message",
    "Sandbox",
    "SlashCommand",
    "UserGroup",
    "View",
    "Workspace",
    "WorkspaceError",
]
