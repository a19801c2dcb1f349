"""`views.*`: modals, and what is on the Home tab."""

from sandbox import payloads, views
from sandbox.api_call import ApiError, Call, Method, invalid_arguments
from sandbox.modals import Modal
from sandbox.model import Json
from sandbox.triggers import Trigger, TriggerRefused
from sandbox.views import ViewRefused


def open_view(call: Call) -> Json:
    """From within a modal the platform promises nothing: here the new one takes the place of the old."""
    view, trigger, platform = _view(call), _trigger(call), call.platform
    if platform.modals.top(trigger.user) is not None:
        platform.warnings.append("views.open was called while a modal was open: push or update it instead")
    try:
        modal = platform.modals.open(trigger.user, view, now=platform.clock())
    except ViewRefused as why:
        raise ApiError(str(why)) from why
    return _opened(call, trigger, modal)


def push(call: Call) -> Json:
    """Only what a person did in a modal lets another be put on top of it."""
    view, trigger, platform = _view(call), _trigger(call), call.platform
    if not trigger.view:
        raise ApiError("invalid_trigger_id")
    try:
        modal = platform.modals.push(trigger.view, view, now=platform.clock())
    except ViewRefused as why:
        raise ApiError(str(why)) from why
    return _opened(call, trigger, modal)


def update(call: Call) -> Json:
    view_id, external_id = (str(call.args.get(key) or "") for key in ("view_id", "external_id"))
    if not view_id and not external_id:
        raise invalid_arguments("missing one of the fields: view_id, external_id")
    platform, expected = call.platform, str(call.args.get("hash") or "")
    try:
        home = platform.homes.find(view_id, external_id)
    except ViewRefused:
        home = None
    view = _view(call, "home" if home else "modal")
    try:
        if home:
            kept = platform.homes.publish(home.user, view, now=platform.clock(), expected=expected)
        else:
            known = platform.modals.find(view_id, external_id)
            kept = platform.modals.update(known.id, view, now=platform.clock(), expected=expected)
    except ViewRefused as why:
        raise ApiError(str(why)) from why
    return {"view": payloads.view_json(platform, kept)}


def publish(call: Call) -> Json:
    """What one person, and no one else, sees on the app's Home tab."""
    platform, user = call.platform, call.text("user_id")
    if not user.startswith(("U", "W")):
        raise invalid_arguments("invalid `user_id`")
    member = platform.workspace.find_member(user)
    if member is None or member.deleted or member.is_bot:
        raise ApiError("user_not_found")
    view = _view(call, "home")
    if not platform.workspace.app.home_tab:
        raise ApiError("not_enabled")
    try:
        expected = str(call.args.get("hash") or "")
        home = platform.homes.publish(user, view, now=platform.clock(), expected=expected)
    except ViewRefused as why:
        raise ApiError(str(why)) from why
    return {"view": payloads.view_json(platform, home)}


def _view(call: Call, kind: str = "modal") -> Json:
    if not call.args.get("view"):
        raise invalid_arguments("missing required field: view")
    return views.read(call.args["view"], kind=kind, can_show=call.platform.can_show)


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
    "views.publish": Method(run=publish),
    "views.push": Method(run=push),
    "views.update": Method(run=update),
}
