"""Brings what people do in a modal to the app, and makes of the modal what the app answers."""

from collections.abc import Mapping

from sandbox import elements, payloads, transport, views
from sandbox.content import Rejected
from sandbox.modals import Modal
from sandbox.model import Answer, Filled, Json
from sandbox.platform_state import Platform
from sandbox.socket_mode import NotDelivered
from sandbox.views import ViewRefused

WRONG_INPUT = "invalid_input"
"""Why nothing was sent: the errors stand beside the fields."""
NOTICES = {
    "operation_timeout": "We had some trouble connecting. Try again? ({app} did not respond in time.)",
    "dispatch_failed": "We had some trouble connecting. Try again? ({app} could not be reached.)",
    "invalid_view_response": "{app} answered with something that cannot be shown. Try again.",
}


async def fill(platform: Platform, *, user: str, values: Mapping[str, object]) -> Answer:
    """Fills blocks of the person's modal; each that dispatches is told to the app before the next is filled."""
    _refuse_unknown(_top(platform, user), values)
    failed = Answer()
    for name, value in values.items():
        modal = _top(platform, user)
        _refuse_unknown(modal, [name])
        block, element = modal.named()[name]
        answer = await act(
            platform, modal=modal, block_id=block["block_id"], action_id=element["action_id"], value=value
        )
        failed = failed if failed.error else answer
    return failed


async def act(platform: Platform, *, modal: Modal, block_id: str, action_id: str, value: object) -> Answer:
    """Clicks a button, or fills an element and tells the app if that is to be told at once."""
    if _top(platform, modal.user).id != modal.id:
        raise LookupError("that view is not the one on top")
    block, element = modal.find(block_id, action_id)
    place = {"block_id": block["block_id"], "action_id": action_id}
    if elements.is_filled(element):
        keep(platform, modal, {block["block_id"]: {action_id: value}})
        if not elements.dispatches(block, element):
            return Answer()
    now = platform.clock()
    action = payloads.chosen(platform, element, value) | place | {"action_ts": f"{now.timestamp():.6f}"}
    try:
        await transport.send(platform, "interactive", payloads.for_view_action(platform, _now(platform, modal), action))
    except NotDelivered as why:
        return _failure(platform, modal, str(why))
    return Answer()


def keep(platform: Platform, modal: Modal, filled: Mapping[str, Mapping[str, object]]) -> None:
    """Remembers what is filled in; what is wrong with a field is forgotten once it is changed.

    Fields that an update took away meanwhile are passed over.
    """
    modal = _now(platform, modal)
    values, errors = dict(modal.values), dict(modal.errors)
    for block_id, by_action in filled.items():
        for action_id in by_action.keys() & {action for block, action in values if block == block_id}:
            taken = _taken(platform, modal, block_id, action_id, by_action[action_id])
            if values[block_id, action_id] != taken:
                errors.pop(block_id, None)
            values[block_id, action_id] = taken
    if values != modal.values:
        platform.modals.change(modal.id, values=values, errors=errors)


async def submit(platform: Platform, *, user: str) -> Answer:
    """What the person's own client finds wrong is shown, and nothing is sent.

    The answer about a view that the person closed meanwhile is passed over.
    """
    modal = _top(platform, user)
    if not modal.view.get("submit"):
        raise LookupError("that view has nothing to submit")
    if wrong := _wrong_input(modal):
        platform.modals.change(modal.id, errors=wrong, notice="", answered=modal.answered + 1)
        return Answer(error=WRONG_INPUT)
    platform.modals.change(modal.id, errors={}, notice="")
    try:
        answer = await transport.send(platform, "interactive", payloads.for_view_submission(platform, modal))
        if platform.modals.is_open(modal.id):
            _obey(platform, modal, answer)
    except NotDelivered as why:
        return _failure(platform, modal, str(why))
    except (Rejected, ViewRefused) as why:
        problems = why.problems if isinstance(why, Rejected) else ()
        platform.warnings.extend(problems or (str(why.args[0]),))
        return _failure(platform, modal, "invalid_view_response")
    return Answer()


async def dismiss(platform: Platform, *, user: str) -> Answer:
    """Closes the view on top, or all of them if it says so; apps that want to know are told."""
    modal = _top(platform, user)
    cleared = bool(modal.view.get("clear_on_close"))
    closed = tuple(reversed(platform.modals.stack(user))) if cleared else (modal,)
    told = [
        payloads.for_view_closed(platform, one, is_cleared=cleared) for one in closed if one.view.get("notify_on_close")
    ]
    if cleared:
        platform.modals.clear(user)
    else:
        platform.modals.close(modal.id)
    try:
        for payload in told:
            await transport.send(platform, "interactive", payload)
    except NotDelivered as why:
        platform.warnings.append(f"view_closed was not acknowledged ({why})")
        return Answer(error=str(why))
    return Answer()


def _top(platform: Platform, user: str) -> Modal:
    if (modal := platform.modals.top(user)) is None:
        raise LookupError("no modal is open")
    return modal


def _now(platform: Platform, modal: Modal) -> Modal:
    """The modal as it is by now."""
    try:
        return platform.modals.find(modal.id)
    except ViewRefused as why:
        raise LookupError("that view is closed") from why


def _refuse_unknown(modal: Modal, names: Mapping[str, object] | list[str]) -> None:
    if unknown := [name for name in names if name not in modal.named()]:
        raise LookupError(f"that view has no block {unknown[0]!r} to fill in")


def _taken(platform: Platform, modal: Modal, block_id: str, action_id: str, value: object) -> Filled:
    return elements.taken(modal.find(block_id, action_id)[1], value, people=platform.people())


def _wrong_input(modal: Modal) -> dict[str, str]:
    found = {
        block["block_id"]: elements.problem(
            block["element"],
            modal.values[block["block_id"], block["element"]["action_id"]],
            optional=bool(block.get("optional")),
        )
        for block in modal.blocks
        if block["type"] == "input"
    }
    return {name: words for name, words in found.items() if words}


def _obey(platform: Platform, modal: Modal, answer: Json) -> None:
    """Raises `Rejected` or `ViewRefused` for an answer that the platform would not take."""
    now, wanted = platform.clock(), answer.get("response_action")
    if not answer:
        platform.modals.close(modal.id)
    elif wanted == "errors":
        errors = _beside_inputs(modal, answer.get("errors"))
        platform.modals.change(modal.id, errors=errors, answered=modal.answered + 1)
    elif wanted == "update":
        platform.modals.update(modal.id, _read(platform, answer), now=now)
    elif wanted == "push":
        platform.modals.push(modal.id, _read(platform, answer), now=now)
    elif wanted == "clear":
        platform.modals.clear(modal.user)
    else:
        raise Rejected("invalid_view_response", ("[ERROR] must be a valid response_action",))


def _read(platform: Platform, answer: Json) -> Json:
    return views.read(answer.get("view"), kind="modal", can_show=platform.can_show)


def _beside_inputs(modal: Modal, errors: object) -> dict[str, str]:
    if not isinstance(errors, Mapping) or not errors:
        raise Rejected("invalid_view_response", ("[ERROR] must provide an object [json-pointer:/errors]",))
    inputs = {block["block_id"] for block in modal.blocks if block["type"] == "input"}
    if unknown := sorted(set(errors) - inputs):
        problem = f"[ERROR] {unknown[0]} is not the block_id of an input [json-pointer:/errors/{unknown[0]}]"
        raise Rejected("invalid_view_response", (problem,))
    if not all(isinstance(words, str) and words for words in errors.values()):
        raise Rejected("invalid_view_response", ("[ERROR] must provide a string [json-pointer:/errors]",))
    return {str(name): str(words) for name, words in errors.items()}


def _failure(platform: Platform, modal: Modal, code: str) -> Answer:
    notice = NOTICES[code].format(app=platform.workspace.app.name)
    platform.modals.change(modal.id, notice=notice, answered=modal.answered + 1)
    return Answer(error=code)
