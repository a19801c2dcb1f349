"""What every click and every form has in common: who it was, and an answer whatever happens."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from handlers import note_failure
from handlers.slack import leavers
from handlers.slack.listeners import FORM, PRESS
from handlers.slack.users import meet, quick
from policy.reasons import FieldsRefused, Refusal
from programme.app import REPEATED
from store import losses
from store.people import directory as people_store
from templates import render

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from slack_bolt import Ack
    from slack_sdk import WebClient

    from handlers.slack.listeners import Listeners
    from programme.app import App
    from store.people.directory import Person
    from templates.render import Message

    PressAnswer = Callable[[App, "Press"], "Message | Modal | None"]
    FormAnswer = Callable[[App, "Form"], "View | ShownModals | None"]

logger = logging.getLogger(__name__)

View = dict[str, Any]
AWAY = (
    "I can't reach my database just now. In a minute, look whether this is done before you send it again: nothing is "
    "done by halves."
)
ANSWER_SECONDS = 1
"""A click has to be acknowledged within three seconds, of which asking who someone is may have taken two."""


@dataclass(frozen=True, slots=True)
class Modal:
    """A form to be opened instead of a message; `in_place` it replaces the modal that the button was in."""

    view: View
    in_place: bool = False


@dataclass(frozen=True, slots=True)
class ShownModals:
    """What is shown instead of a form; `below` is what the modal below it shows by now."""

    view: View
    below: View


@dataclass(frozen=True, slots=True)
class Press:
    """Who clicked which button, and where; `value` is what the button carried, `private` what its modal did."""

    person: Person
    value: str
    now: datetime
    channel: str | None
    ts: str | None
    private: str = ""

    @property
    def request_id(self) -> str:
        """Buttons of a request carry its id and the revision at which they were shown."""
        return self.value.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Form:
    """What someone wrote into a modal; `id` is the modal's, `values` are by block."""

    person: Person
    id: str
    values: dict[str, Any]
    private: str
    now: datetime

    def text(self, field: str) -> str:
        """What was written or chosen in a field; nothing for one that is not there."""
        value = self.values.get(field)
        return value if isinstance(value, str) else ""


def known_person(app: App, client: WebClient, slack_user_id: str, now: datetime) -> Person:
    """The person behind a Slack user, linked at first contact; a Refusal for someone we do not know."""
    with app.database.reading() as session:
        person = people_store.by_slack_id(session, slack_user_id)
    if person is not None:
        return person
    return meet(app, client, slack_user_id, now).required()


def _here(app: App, client: WebClient, slack_user_id: str, now: datetime) -> Person:
    """The same for someone who may do something; a Refusal for whoever has left."""
    person = known_person(app, client, slack_user_id, now)
    leavers.require_here_at(app, now, person.left_on)
    return person


def on_press(
    listeners: Listeners, action_id: str, answer: Callable[[App, Press], Message | Modal | None], app: App
) -> None:
    """Answer a button: with a private message, or with a form."""
    listeners.on(PRESS, action_id, partial(_pressed, app=app, action_id=action_id, answer=answer))


def _pressed(
    ack: Ack,
    body: dict[str, Any],
    client: WebClient,
    *,
    app: App,
    action_id: str,
    answer: PressAnswer,
) -> None:
    now = app.clock()
    container = body.get("container", {})
    person = None
    try:
        person = _here(app, client, body["user"]["id"], now)
        value = str(body["actions"][0].get("value") or "")
        private = str((body.get("view") or {}).get("private_metadata") or "")
        press = Press(person, value, now, container.get("channel_id"), container.get("message_ts"), private)
        # Under Slack's id a change that was committed without a word is not made again.
        doing = app.once(body["trigger_id"])
        said = losses.done_again(lambda: answer(doing, press))
        if isinstance(said, Modal):
            _show_modal(client, body, said)
            said = None
    except Refusal as refusal:
        said = render.message("shared/refusal", refusal=refusal)
    except Exception as error:  # noqa: BLE001 - whatever it is, the person gets an answer
        said = failed(logger, action_id, error)
    if said is not None:
        tell(client, body, said)
    ack()
    if person is not None:
        app.refresh_home(person.id)


def failed(logger: logging.Logger, what: str, error: Exception) -> Message:
    """The answer where something failed that no one foresaw, or the database is away."""
    failure_id = note_failure(logger, what, error)
    if losses.is_away(error):
        return render.message("shared/database_away")
    return render.message("shared/failure", failure_id=failure_id, contact="the administrators")


def _show_modal(client: WebClient, body: dict[str, Any], modal: Modal) -> None:
    if not modal.in_place:
        open_modal(client, body["trigger_id"], modal, above=_is_in_modal(body))
        return
    _renew(client, body["view"]["id"], modal.view)


def _renew(client: WebClient, view_id: str | None, view: View) -> None:
    """Show a modal anew, where there is one. What was done is done; should that fail, the old view stays."""
    if not view_id:
        return
    try:
        quick(client).views_update(view_id=view_id, view=view)
    except (SlackApiError, SlackClientError, OSError) as error:
        logger.warning("a modal was not updated: %s", type(error).__name__)


def _is_in_modal(body: dict[str, Any]) -> bool:
    return bool((body.get("view") or {}).get("type") == "modal")


def tell(client: WebClient, body: dict[str, Any], said: Message) -> None:
    """Answer where the button was: beside its message, above the Home, or in place of the modal that it was in."""
    if not body.get("view"):
        answer_privately(body.get("response_url"), said)
        return
    view = render.answer(said, title="Tokens")
    try:
        if _is_in_modal(body):
            quick(client).views_update(view_id=body["view"]["id"], view=view)
        else:
            quick(client).views_open(trigger_id=body["trigger_id"], view=view)
    except (SlackApiError, SlackClientError, OSError) as error:
        logger.warning("an answer did not reach its reader: %s", type(error).__name__)


def open_modal(client: WebClient, trigger_id: str, modal: Modal, *, above: bool = False) -> None:
    """Show a form, `above` the modal that is open if need be; a Refusal when Slack does not."""
    try:
        if above:
            quick(client).views_push(trigger_id=trigger_id, view=modal.view)
        else:
            quick(client).views_open(trigger_id=trigger_id, view=modal.view)
    except (SlackApiError, SlackClientError, OSError) as error:
        logger.warning("a form did not open: %s", error)
        raise Refusal("form_not_opened", "Slack did not open the form.", next_step="Please try again.") from error


def answer_privately(response_url: str | None, message: Message) -> None:
    """Say something that only the person who clicked can see. What was done is done, should that fail."""
    if response_url is None:
        return
    try:
        said = WebhookClient(response_url, timeout=ANSWER_SECONDS, retry_handlers=[]).send(
            text=message.text, blocks=message.blocks, response_type="ephemeral", replace_original=False
        )
    except (SlackClientError, OSError) as error:
        logger.warning("an answer did not reach its reader: %s", type(error).__name__)
    else:
        if said.status_code != 200:  # noqa: PLR2004 - HTTP's OK
            logger.warning("an answer did not reach its reader: %s", said.status_code)


def on_submit(
    listeners: Listeners, callback_id: str, answer: Callable[[App, Form], View | ShownModals | None], app: App
) -> None:
    """Take a form: mistakes are shown beside their fields; what is done is shown instead of the form, or closes it."""
    listeners.on(FORM, callback_id, partial(_submitted, app=app, callback_id=callback_id, answer=answer))


def _submitted(
    ack: Ack,
    body: dict[str, Any],
    client: WebClient,
    *,
    app: App,
    callback_id: str,
    answer: FormAnswer,
) -> None:
    try:
        form = form_of(app, client, body)
        doing = app.once(body["trigger_id"])
        shown = losses.done_again(lambda: answer(doing, form))
    except FieldsRefused as refused:
        ack(response_action="errors", errors=_beside_fields(refused.problems, body["view"]))
    except Refusal as refusal:
        title = "Done already" if refusal.code == REPEATED else "Not done"
        ack(response_action="update", view=closed(str(refusal), title=title))
    except Exception as error:  # noqa: BLE001 - whatever it is, the person gets an answer
        failure_id = note_failure(logger, callback_id, error)
        text = f"Something went wrong on our side, and nothing was changed. Tell the administrators: {failure_id}."
        ack(response_action="update", view=closed(AWAY if losses.is_away(error) else text))
    else:
        if isinstance(shown, ShownModals):
            ack(response_action="update", view=shown.view)
            _renew(client, body["view"].get("previous_view_id"), shown.below)
        elif shown is None:
            ack()
        else:
            ack(response_action="update", view=shown)
        app.refresh_home(form.person.id)


def form_of(app: App, client: WebClient, body: dict[str, Any]) -> Form:
    """What is in the modal that something was done in."""
    view, now = body["view"], app.clock()
    person = _here(app, client, body["user"]["id"], now)
    return Form(person, view["id"], typed(view), view.get("private_metadata", ""), now)


def typed(view: View) -> dict[str, Any]:
    """What was typed and chosen, by block; empty fields are empty texts, people a list of Slack users."""
    found: dict[str, Any] = {}
    for block_id, actions in (view.get("state") or {}).get("values", {}).items():
        for element in actions.values():
            if "selected_users" in element:
                found[block_id] = list(element["selected_users"])
            elif "selected_options" in element:
                found[block_id] = [option["value"] for option in element["selected_options"]]
            elif "selected_option" in element:
                found[block_id] = (element["selected_option"] or {}).get("value", "")
            else:
                found[block_id] = element.get("value") or element.get("selected_date") or ""
    return found


def _beside_fields(problems: dict[str, str], view: View) -> dict[str, str]:
    """Each problem at its field; one of a field that the form has not, at the first that it has."""
    inputs = [block["block_id"] for block in view["blocks"] if block["type"] == "input"]
    shown: dict[str, str] = {}
    for field, text in problems.items():
        place = field if field in inputs else inputs[0]
        shown[place] = " ".join(filter(None, (shown.get(place), text)))
    return shown


def closed(text: str, *, title: str = "Not done") -> View:
    """A modal that only says something."""
    return render.modal("exceptions/closed", title=title, text=text)
