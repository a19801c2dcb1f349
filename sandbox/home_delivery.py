"""Brings what people do on the app's Home tab to the app."""

from collections.abc import Mapping
from functools import partial

from sandbox import elements, events, payloads, transport
from sandbox.model import Answer, Json
from sandbox.platform_state import Platform
from sandbox.socket_mode import NotDelivered
from sandbox.views import KeptView
from sandbox.workspace import WorkspaceError

TABS = ("home", "messages")


async def enter(platform: Platform, *, user: str, tab: str = "home") -> None:
    """The app hears, each time, that a person looks at a tab of it; of the Home tab also what is published there."""
    member = platform.workspace.member(user)
    if member.deleted or member.is_bot:
        raise WorkspaceError(f"{member.real_name} cannot look at it")
    if tab not in TABS or (tab == "home" and not platform.workspace.app.home_tab):
        raise WorkspaceError(f"the app has no {tab!r} tab")
    if platform.hold.why:
        platform.hold.keep(partial(enter, platform, user=user, tab=tab))
        return
    dm = platform.workspace.open_dm(platform.workspace.app.bot_user, user)
    event: Json = {"type": "app_home_opened", "user": user, "channel": dm.id, "tab": tab}
    if tab == "home" and (kept := platform.homes.of(user)) is not None:
        event["view"] = payloads.view_json(platform, kept)
    await events.publish(platform, event)


async def act(platform: Platform, *, user: str, view_id: str, name: str, value: object, block_id: str = "") -> Answer:
    """Clicks what has that action_id, or the button with those words; fills what can be filled.

    The app is told of what is to be told at once.
    """
    home = _published(platform, user, view_id)
    action_id = _action_id(home, name)
    block, element = home.find(block_id, action_id)
    place = {"block_id": block["block_id"], "action_id": action_id}
    if elements.is_filled(element):
        keep(platform, user=user, view_id=view_id, filled={block["block_id"]: {action_id: value}})
        if not elements.dispatches(block, element):
            return Answer()
    at = {"action_ts": f"{platform.clock().timestamp():.6f}"}
    action = payloads.chosen(platform, element, value) | place | at
    told = payloads.for_view_action(platform, _published(platform, user, view_id), action)
    try:
        await transport.send(platform, "interactive", told)
    except NotDelivered as why:
        return Answer(error=str(why))
    return Answer()


def keep(platform: Platform, *, user: str, view_id: str, filled: Mapping[str, Mapping[str, object]]) -> None:
    """Remembers what is filled in; what an update took away meanwhile is passed over."""
    home = _published(platform, user, view_id)
    given = {(block, action): value for block, within in filled.items() for action, value in within.items()}
    taken = {
        place: elements.taken(home.find(*place)[1], given[place], people=platform.people())
        for place in given.keys() & home.values.keys()
    }
    if any(home.values[place] != value for place, value in taken.items()):
        platform.homes.fill(user, taken)


def _action_id(home: KeptView, name: str) -> str:
    inside = [element for block in home.blocks for element in elements.within(block)]
    if any(element["action_id"] == name for element in inside):
        return name
    shown = (one["action_id"] for one in inside if one["type"] == "button" and one["text"]["text"] == name)
    if (found := next(shown, None)) is None:
        raise LookupError(f"that view has no {name!r}")
    return str(found)


def _published(platform: Platform, user: str, view_id: str) -> KeptView:
    """People can act only on their own Home."""
    home = platform.homes.of(user)
    if home is None or home.id != view_id:
        raise LookupError("that view is not the one on the person's Home tab")
    return home
