"""Uploads in three steps, and the pictures that messages show of them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient

from sandbox import Sandbox, Workspace
from tests.sandbox.company import ADA, BEN, BOARD, BOT, GENERAL, OLD, PLAN, TEAM, mrkdwn, section
from tests.sandbox.conftest import HandClock
from tests.sandbox.pictures import GIF, JPG, PNG
from tests.sandbox.test_web_api import refused

SCOPES = PLAN["app"]["scopes"]
FILES_PLAN = PLAN | {"app": PLAN["app"] | {"scopes": [*SCOPES, "files:write", "files:read"]}}
DELAY = timedelta(seconds=30)


@pytest.fixture
def sandbox(clock: HandClock) -> Iterator[Sandbox]:
    with Sandbox(Workspace.from_dict(FILES_PLAN), clock=clock, post_burst=100, file_delay=DELAY) as running:
        yield running


@pytest.fixture
def browser(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.url, trust_env=False) as made:
        yield made


def picture(file_id: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of an image
    return {"type": "image", "slack_file": {"id": file_id}, "alt_text": "A chart", **more}


def uploaded(client: WebClient, content: bytes = PNG, **more: Any) -> str:  # noqa: ANN401 - what the upload takes
    return str(client.files_upload_v2(content=content, filename="chart.png", **more)["file"]["id"])


def announced(client: WebClient, content: bytes) -> tuple[str, str]:
    answer = client.files_getUploadURLExternal(filename="chart.png", length=len(content))
    return answer["upload_url"], answer["file_id"]


def seen(browser: httpx.Client, file_id: str, reader: str) -> httpx.Response:
    return browser.get(f"/page/files/{file_id}", params={"as": reader})


def test_the_three_steps(client: WebClient, browser: httpx.Client) -> None:
    """A length is announced, bytes of that length are sent, and completing tells of the file, once."""
    url, file_id = announced(client, PNG)
    early = refused(client.files_completeUploadExternal, files=[{"id": file_id}])
    short, sent, again = (browser.post(url, content=content) for content in (PNG[:-1], PNG, PNG))
    assert [answer.status_code for answer in (short, sent, again)] == [400, 200, 200]
    assert (early["error"], sent.text) == ("file_not_found", f"OK - {len(PNG)}")
    assert refused(client.files_info, file=file_id)["error"] == "file_not_found"
    done = client.files_completeUploadExternal(files=[{"id": file_id, "title": "Spend"}])
    assert (done["files"][0]["id"], done["files"][0]["title"]) == (file_id, "Spend")
    assert refused(client.files_completeUploadExternal, files=[{"id": file_id}])["error"] == "file_not_found"
    assert browser.post(url, content=PNG).status_code == 400


def test_a_form_is_taken_too(client: WebClient, browser: httpx.Client) -> None:
    """The bytes of a form's file arrive whole, whatever line ends and dashes are in them."""
    content = PNG + b"\r\n--x\r\n\r\n\n--"
    url, file_id = announced(client, content)
    assert browser.post(url, files={"filename": ("chart.png", content, "image/png")}).text == f"OK - {len(content)}"
    client.files_completeUploadExternal(files=[{"id": file_id}], channel_id=TEAM)
    assert seen(browser, file_id, ADA).content == content
    empty = browser.post(announced(client, content)[0], files={"note": (None, "no file")})
    assert (empty.status_code, empty.text) == (400, "the form has no file")


def test_what_it_is_shows_after_processing(client: WebClient, clock: HandClock) -> None:
    """The kind of a file is empty until it was processed, and comes from its bytes, not from its name."""
    ids = [uploaded(client, content, alt_txt="Spend") for content in (PNG, JPG, GIF, b"<svg/>")]
    assert {client.files_info(file=file_id)["file"]["mimetype"] for file_id in ids} == {""}
    clock.advance(seconds=30)
    found = [client.files_info(file=file_id)["file"] for file_id in ids]
    assert [file["filetype"] for file in found] == ["png", "jpg", "gif", "binary"]
    assert [file["mimetype"] for file in found[:3]] == ["image/png", "image/jpeg", "image/gif"]
    assert (found[0]["alt_txt"], found[0]["size"], found[0]["user"]) == ("Spend", len(PNG), BOT)


def test_a_channel_gets_a_message(sandbox: Sandbox, client: WebClient) -> None:
    """With channels the file is shared by a message in each, with the comment, in the thread; without, nowhere."""
    private = uploaded(client)
    parent = client.chat_postMessage(channel=TEAM, text="Your month")["ts"]
    shared = uploaded(client, channel=TEAM, initial_comment="Here it is", thread_ts=parent)
    message = sandbox.thread(TEAM, parent, ADA)[-1]
    assert (message.text, message.files, message.thread_ts) == ("Here it is", (shared,), parent)
    assert client.files_info(file=shared)["file"]["channels"] == [TEAM]
    both = uploaded(client, channels=[BOARD, BEN])
    info = client.files_info(file=both)["file"]
    assert (info["groups"], info["ims"], info["is_public"]) == ([BOARD], [sandbox.dm(BEN)], False)
    assert client.files_info(file=private)["file"]["channels"] == []
    sandbox.workspace.change_app(scopes=sandbox.workspace.app.scopes | {"channels:history"})
    assert client.conversations_replies(channel=TEAM, ts=parent)["messages"][1]["files"][0]["id"] == shared


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"channel_id": "C0NOWHERE"}, "channel_not_found"),
        ({"channel_id": BEN}, "channel_not_found"),
        ({"channel_id": GENERAL}, "not_in_channel"),
        ({"channel_id": OLD}, "is_archived"),
        ({"channels": [TEAM, GENERAL]}, "not_in_channel"),
        ({"channels": ["U0GONE"]}, "channel_not_found"),
        ({"channels": ["C0X"] * 101}, "channels_limit_exceeded"),
        ({"channels": [TEAM, BOARD], "thread_ts": "1.0"}, "invalid_arguments"),
        ({"channel_id": TEAM, "thread_ts": "1.0"}, "thread_not_found"),
        ({"channel_id": TEAM, "blocks": "[{"}, "invalid_blocks_format"),
        ({"files": []}, "invalid_arguments"),
        ({"files": [{"title": "x"}]}, "invalid_arguments"),
        ({"files": [{"id": "F0NOTHING"}]}, "file_not_found"),
    ],
)
def test_nothing_is_half_completed(
    sandbox: Sandbox, client: WebClient, browser: httpx.Client, more: dict[str, Any], error: str
) -> None:
    """A refused completion posts nothing and keeps nothing, and can be made again rightly."""
    url, file_id = announced(client, PNG)
    browser.post(url, content=PNG)
    order = {"files": [{"id": file_id}], **more}
    assert refused(client.files_completeUploadExternal, **order)["error"] == error
    assert sandbox.messages(TEAM, ADA) == ()
    assert client.files_completeUploadExternal(files=[{"id": file_id}])["ok"]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"length": 0}, "missing_argument"),
        ({"length": "many"}, "invalid_arguments"),
        ({"length": -1}, "invalid_arguments"),
        ({"length": 1_000_000_001}, "file_upload_size_restricted"),
        ({"filename": ""}, "invalid_arguments"),
        ({"alt_txt": "x" * 1001}, "alt_txt_too_large"),
    ],
)
def test_wrong_announcements(client: WebClient, more: dict[str, Any], error: str) -> None:
    """What cannot become a file is refused before any byte is sent."""
    order = {"filename": "chart.png", "length": 3, **more}
    assert refused(client.files_getUploadURLExternal, **order)["error"] == error


def test_scopes(sandbox: Sandbox, client: WebClient) -> None:
    """Uploading needs one scope, asking about a file another."""
    file_id = uploaded(client)
    sandbox.workspace.change_app(scopes=frozenset({"files:write"}))
    assert refused(client.files_info, file=file_id)["needed"] == "files:read"
    sandbox.workspace.change_app(scopes=frozenset({"files:read"}))
    assert refused(client.files_getUploadURLExternal, filename="x", length=1)["needed"] == "files:write"
    assert refused(client.files_completeUploadExternal, files=[{"id": file_id}])["needed"] == "files:write"


def test_pictures_appear_when_they_are_processed(sandbox: Sandbox, client: WebClient, clock: HandClock) -> None:
    """A block may show an uploaded picture by id or address, but not before it was processed."""
    file = client.files_upload_v2(content=PNG, filename="chart.png")["file"]
    posted = client.chat_postMessage(channel=TEAM, text="soon")
    blocks = [picture(file["id"])]
    where = "[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]"
    clock.advance(seconds=29)
    early = refused(client.chat_postMessage, channel=TEAM, text="x", blocks=blocks)
    assert (early["error"], early["response_metadata"]["messages"]) == ("invalid_blocks", [where])
    assert (
        refused(client.chat_update, channel=TEAM, ts=posted["ts"], text="x", blocks=blocks)["error"] == early["error"]
    )
    clock.advance(seconds=1)
    client.chat_update(channel=TEAM, ts=posted["ts"], text="x", blocks=blocks)
    for address in (file["url_private"], file["permalink"]):
        client.chat_postMessage(channel=TEAM, text="x", blocks=[picture("") | {"slack_file": {"url": address}}])
    client.chat_postEphemeral(channel=TEAM, user=ADA, text="x", blocks=blocks)
    assert [message.blocks[0]["type"] for message in sandbox.messages(TEAM, ADA)] == ["image"] * 4


def test_what_is_no_picture_is_not_shown(client: WebClient, browser: httpx.Client, clock: HandClock) -> None:
    """Unknown and incomplete uploads and other kinds of files are refused wherever an image can stand."""
    url, incomplete = announced(client, PNG)
    browser.post(url, content=PNG)
    text = uploaded(client, b"%PDF-1.7")
    clock.advance(seconds=30)
    places: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "/blocks/0/slack_file": lambda image: image,
        "/blocks/0/accessory/slack_file": lambda image: section(accessory=image),
        "/blocks/0/elements/1/slack_file": lambda image: {"type": "context", "elements": [mrkdwn("x"), image]},
    }
    for file_id in (incomplete, text, "F0NOTHING00"):
        for pointer, block in places.items():
            answer = refused(client.chat_postMessage, channel=TEAM, text="x", blocks=[block(picture(file_id))])
            problem = f"[ERROR] invalid slack file [json-pointer:{pointer}]"
            assert answer["response_metadata"]["messages"] == [problem]


def test_only_readers_of_a_message_get_its_files(
    sandbox: Sandbox, client: WebClient, browser: httpx.Client, clock: HandClock
) -> None:
    """A picture is served to those who can see a message with it, and vanishes with the last such message."""
    file_id = uploaded(client)
    clock.advance(seconds=30)
    assert seen(browser, file_id, ADA).status_code == 404
    posted = client.chat_postMessage(channel=ADA, text="x", blocks=[section(accessory=picture(file_id))])
    answers = [seen(browser, file_id, reader) for reader in (ADA, BEN, "U0NOBODY", "")]
    assert [answer.status_code for answer in answers] == [200, 404, 404, 404]
    assert (answers[0].content, answers[0].headers["content-type"]) == (PNG, "image/png")
    assert answers[0].headers["x-content-type-options"] == "nosniff"
    state = browser.get("/page/state", params={"as": ADA}).json()
    dm = next(channel for channel in state["channels"] if channel["id"] == sandbox.dm(ADA))
    assert dm["messages"][0]["blocks"][0]["accessory"]["file"] == file_id
    client.chat_delete(channel=posted["channel"], ts=posted["ts"])
    assert seen(browser, file_id, ADA).status_code == 404


def test_a_home_keeps_its_pictures(client: WebClient, browser: httpx.Client, clock: HandClock) -> None:
    """A page that still draws one version of a Home, while the next is published, gets the picture of that version."""
    first, second = uploaded(client), uploaded(client)
    clock.advance(seconds=30)
    for file_id in (first, second):
        client.views_publish(user_id=ADA, view={"type": "home", "blocks": [picture(file_id)]})
    assert [seen(browser, first, reader).status_code for reader in (ADA, BEN)] == [200, 404]
    assert seen(browser, second, ADA).content == PNG


def test_other_files_are_only_ever_saved(client: WebClient, browser: httpx.Client) -> None:
    """A page that someone uploaded is handed out as an attachment and never runs in this one."""
    file_id = uploaded(client, b"<script>alert(1)</script>", channel=TEAM)
    answer = seen(browser, file_id, ADA)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_files_survive_a_restart(tmp_path: Path, clock: HandClock) -> None:
    """What was completed is there again with its bytes; what was not leaves nothing behind."""
    history = tmp_path / "talk.jsonl"
    with Sandbox(Workspace.from_dict(FILES_PLAN, history=history), clock=clock) as first:
        client = WebClient(first.workspace.app.bot_token, base_url=first.api_url)
        shared, lost = (uploaded(client, channel=TEAM) for _ in range(2))
        httpx.post(announced(client, PNG)[0], content=PNG, trust_env=False)
    folder = tmp_path / "talk.files"
    assert {file.name for file in folder.iterdir()} == {shared, lost}
    (folder / lost).unlink()
    with Sandbox(Workspace.from_dict(FILES_PLAN, history=history), clock=clock) as second:
        client = WebClient(second.workspace.app.bot_token, base_url=second.api_url)
        assert second.workspace.file_content(shared) == PNG
        assert second.messages(TEAM, ADA)[0].files == (shared,)
        client.chat_postMessage(channel=TEAM, text="x", blocks=[picture(shared)])
        assert refused(client.files_info, file=lost)["error"] == "file_not_found"
