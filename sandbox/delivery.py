"""Brings what people do to the app, and the app's answer back to the people."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from sandbox import content, elements, payloads, transport
from sandbox.content import Rejected
from sandbox.model import SYSTEM, Answer, Message
from sandbox.payloads import Scene
from sandbox.platform_state import Platform
from sandbox.response_urls import ResponseUrl
from sandbox.socket_mode import NotDelivered

EXPLAINED = {
    "operation_timeout": "{app} did not respond in time.",
    "dispatch_failed": "{app} could not be reached.",
    "invalid_command_response": "{app} answered with something that cannot be shown.",
}


async def run_command(platform: Platform, *, user: str, channel: str, line: str) -> Answer:
    """Hands a slash command to the app and shows its answer to the person, or in the channel if the app says so."""
    at = payloads.scene(platform, user=user, channel=channel, line=line)
    name, _, text = at.line.partition(" ")
    command = next((known for known in platform.workspace.app.commands if known.command == name), None)
    if command is None:
        return _notice(at, "unknown_command", f"`{name}` is not a command here.")
    if platform.hold.why:
        return _keep(at)
    now = platform.clock()
    issued = ResponseUrl(channel=at.place.id, user=at.member.id, issued_at=now, prompt=at.line)
    key = platform.response_urls.issue(issued)
    payload = payloads.for_command(at, command, text.strip(), platform.response_url(key))
    try:
        answer = await transport.send(platform, "slash_commands", payload)
        messages = _show(platform, answer, issued)
    except NotDelivered as why:
        return _failure(at, str(why))
    except Rejected as why:
        platform.warnings.extend(why.problems or (why.code,))
        return _failure(at, "invalid_command_response")
    if messages:
        platform.response_urls.set_original(key, messages[-1])
    return Answer(messages=messages)


def _keep(at: Scene) -> Answer:
    """A command that comes too early is answered later; its notice makes room for the answer."""
    told = _notice(at, "held", f"{at.platform.hold.why} Then `{at.line}` will be answered.")
    at.platform.hold.keep(partial(_run_kept, at, told.message))
    return told


async def _run_kept(at: Scene, notice: Message) -> None:
    at.platform.workspace.remove(notice)
    await run_command(at.platform, user=at.member.id, channel=at.place.id, line=at.line)


async def press(
    platform: Platform, *, user: str, message: Message, shown: Message, action_id: str, block_id: str, value: object
) -> Answer:
    """Hands a click on a button, or a choice from a menu, to the app."""
    at = payloads.scene(platform, user=user, channel=message.channel, thread_ts=message.thread_ts)
    block, element = payloads.find_element(shown, action_id, block_id)
    now = platform.clock()
    key = platform.response_urls.issue(
        ResponseUrl(channel=at.place.id, user=at.member.id, issued_at=now, original=message),
    )
    named = {"block_id": block, "action_id": action_id, "action_ts": f"{now.timestamp():.6f}"}
    action = payloads.chosen(platform, element, value) | named
    if elements.is_filled(element):
        choices = platform.choices.setdefault((user, message.channel, message.ts), {})
        choices[block, action_id] = elements.taken(element, value, people=platform.people())
    try:
        payload = payloads.for_action(at, message, action, platform.response_url(key))
        await transport.send(platform, "interactive", payload)
    except NotDelivered as why:
        return _failure(at, str(why))
    return Answer()


def respond(platform: Platform, to: ResponseUrl, body: Mapping[str, object]) -> None:
    """What the app posts to a `response_url`; raises `Rejected`."""
    workspace, now = platform.workspace, platform.clock()
    original = workspace.find_message(to.original.channel, to.original.ts) if to.original else None
    if original and body.get("delete_original"):
        workspace.remove(original)
    elif original and body.get("replace_original"):
        said = content.read(body, can_show=platform.can_show, limit_total=False)
        platform.warnings.extend(said.warnings)
        workspace.amend(original, now=now, text=said.text, blocks=said.blocks)
    else:
        _show(platform, body, to, with_command=False)


def _show(
    platform: Platform, answer: Mapping[str, object], to: ResponseUrl, *, with_command: bool = True
) -> tuple[Message, ...]:
    """An empty answer shows nothing; a first one for the channel is preceded by the command that asked for it."""
    if not any(key in answer for key in ("text", "blocks", "attachments")):
        return ()
    kind = answer.get("response_type", "ephemeral")
    if kind not in ("ephemeral", "in_channel"):
        raise Rejected(
            "invalid_response_type", ("[ERROR] must be ephemeral or in_channel [json-pointer:/response_type]",)
        )
    said = content.read(answer, can_show=platform.can_show, limit_total=False)
    platform.warnings.extend(said.warnings)
    shown = Message(
        channel=to.channel,
        ts="",
        author=platform.workspace.app.bot_user,
        text=said.text,
        blocks=said.blocks,
        from_app=True,
        thread_ts=_thread(platform, answer, to),
    )
    if kind == "ephemeral":
        return (_post(platform, replace(shown, ephemeral_to=to.user, prompt=to.prompt)),)
    if not with_command:
        return (_post(platform, shown),)
    typed = Message(channel=to.channel, ts="", author=to.user, text=payloads.typed_text(platform, to.prompt))
    return _post(platform, typed), _post(platform, shown)


def _thread(platform: Platform, answer: Mapping[str, object], to: ResponseUrl) -> str:
    """An answer goes into a thread only when it names it."""
    wanted = str(answer.get("thread_ts") or "")
    parent = platform.workspace.find_message(to.channel, wanted) if wanted else None
    if wanted and (parent is None or parent.thread_ts or parent.ephemeral_to):
        raise Rejected("thread_not_found")
    return wanted


def _post(platform: Platform, draft: Message) -> Message:
    return platform.workspace.post(draft, now=platform.clock())


def _failure(at: Scene, code: str) -> Answer:
    reason = EXPLAINED[code].format(app=at.platform.workspace.app.name)
    what = f"`{at.line}` failed" if at.line else "That click failed"
    return _notice(at, code, f"{what}: {reason} (`{code}`)")


def _notice(at: Scene, code: str, text: str) -> Answer:
    notice = Message(channel=at.place.id, ts="", author=SYSTEM, text=text, ephemeral_to=at.member.id, prompt=at.line)
    notice = replace(notice, thread_ts=at.thread_ts)
    return Answer(messages=(_post(at.platform, notice),), error=code)
