"""Searching in a menu whose options the app keeps: what is typed goes to the app, what it finds can be chosen."""

from sandbox import block_kit, payloads, transport
from sandbox.content import Rejected
from sandbox.modals import Modal
from sandbox.model import Answer, Json
from sandbox.platform_state import Platform
from sandbox.socket_mode import NotDelivered

SHORTEST = 3
"""Letters that are typed before the app is asked, where it does not say how many."""


async def search(platform: Platform, *, modal: Modal, block_id: str, action_id: str, typed: str) -> Answer:
    """What the app offers for a text: its options, which can be chosen from then on; none that it may not offer."""
    block, element = modal.find(block_id, action_id)
    if element["type"] != "external_select":
        raise LookupError(f"nothing is searched in {action_id!r}")
    if len(typed) < element.get("min_query_length", SHORTEST):
        return Answer()
    place = block["block_id"], action_id
    try:
        told = await transport.send(platform, "interactive", payloads.for_suggestion(platform, modal, place, typed))
        found = _options(told)
    except NotDelivered as why:
        return Answer(error=str(why))
    except Rejected as why:
        platform.warnings.extend(why.problems)
        return Answer(error="invalid_options")
    platform.modals.found(modal.id, place, found)
    return Answer(options=found)


def _options(told: Json) -> tuple[Json, ...]:
    if problems := block_kit.suggestion_problems(told):
        raise Rejected("invalid_options", problems)
    groups = told.get("option_groups", [told])
    return tuple(option for group in groups for option in group["options"])
