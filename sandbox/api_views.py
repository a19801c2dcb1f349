"""`views.*`: modals."""

from sandbox import modals, payloads
from sandbox.api_call import ApiError, Call, Method, invalid_arguments
from sandbox.modals import Modal, ModalRefused
from sandbox.model import Json
from sandbox.triggers import Trigger, TriggerRefused


def open_view(call: Call) -> Json:
    """From within a modal the platform promises nothing: here the new one takes the place of the old."""
    view, trigger, platform = _view(call), _trigger(call), call.platform
    if platform.modals.top(trigger.user) is not None:
        platform.warnings.append("views.open was called while a modal was open: push or update it instead")
    try:
        modal = platform.modals.open(trigger.user, view, now=platform.clock())
    except ModalRefused as why:
        raise ApiError(str(why)) from why
    return _opened(call, trigger, modal)


def push(call: Call) -> Json:
    """Only what somebody did in a modal lets another be put on top of it."""
    view, trigger, platform = _view(call), _trigger(call), call.platform
    if not trigger.view:
        raise ApiError("invalid_trigger_id")
    try:
        modal = platform.modals.push(trigger.view, view, now=platform.clock())
    except ModalRefused as why:
        raise ApiError(str(why)) from why
    return _opened(call, trigger, modal)


def update(call: Call) -> Json:
    view_id, external_id = (str(call.args.get(key) or "") for key in ("view_id", "external_id"))
    if not view_id and not external_id:
        raise invalid_arguments("missing one of the fields: view_id, external_id")
    view, platform = _view(call), call.platform
    try:
        known = platform.modals.find(view_id, external_id)
        expected = str(call.args.get("hash") or "")
        modal = platform.modals.update(known.id, view, now=platform.clock(), expected=expected)
    except ModalRefused as why:
        raise ApiError(str(why)) from why
    return {"view": payloads.view_json(platform, modal)}


def _view(call: Call) -> Json:
    if not call.args.get("view"):
        raise invalid_arguments("missing required field: view")
    return modals.read(call.args["view"], can_show=call.platform.can_show)


def _trigger(call: Call) -> Trigger:
    try:
        return call.platform.triggers.look_up(call.text("trigger_id"), now=call.platform.clock())
    except TriggerRefused as why:
        raise ApiError(str(why)) from why


def _opened(call: Call, trigger: Trigger, modal: Modal) -> Json:
    trigger.exchanged = True
    return {"view": payloads.view_json(call.platform, modal)}


METHODS = {
    "views.open": Method(run=open_view),
    "views.push": Method(run=push),
    "views.update": Method(run=update),
}
