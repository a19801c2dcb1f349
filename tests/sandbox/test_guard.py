"""The workspace talks to this machine and to its own pages, and to no other page in the user's browser."""

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from sandbox import Sandbox, Workspace
from sandbox.guard import LoopbackOnlyError
from tests.sandbox.company import ADA, GENERAL, PLAN

SAY = {"as": ADA, "channel": GENERAL, "text": "hello"}
READ, WRITE, API, PICTURE = "/page/state", "/page/messages", "/api/auth.test", "/page/files/F0NONE"
FOREIGN = {
    "a name that was pointed here": {"host": "attacker.example"},
    "that name with our port": {"host": "attacker.example:{port}"},
    "an address in the network": {"host": "192.168.1.7:{port}"},
    "no host that is one": {"host": "[::1"},
    "a page elsewhere": {"origin": "https://attacker.example"},
    "a page in a frame without an origin": {"origin": "null"},
    "a page of another server on this machine": {"origin": "http://127.0.0.1:3000"},
    "our port under another name": {"origin": "http://attacker.example:{port}"},
    "a picture in a page elsewhere": {"sec-fetch-site": "cross-site", "sec-fetch-dest": "image"},
    "a picture in a page of another server here": {"sec-fetch-site": "same-site", "sec-fetch-dest": "image"},
}
OWN = {
    "a shell": {},
    "our page": {"origin": "http://127.0.0.1:{port}", "sec-fetch-site": "same-origin"},
    "our page under its other name": {"host": "localhost:{port}", "origin": "http://localhost:{port}"},
    "Slack's library, which leaves out the port": {"host": "127.0.0.1"},
    "an address that was typed": {"sec-fetch-site": "none", "sec-fetch-dest": "document"},
}


def headers_of(sandbox: Sandbox, said: dict[str, str]) -> dict[str, str]:
    port = sandbox.url.rpartition(":")[2]
    return {name: value.replace("{port}", port) for name, value in said.items()}


def asked(sandbox: Sandbox, said: dict[str, str]) -> list[int]:
    """What reading, writing, the Web API and a picture answer to it."""
    headers = headers_of(sandbox, said)
    with httpx.Client(base_url=sandbox.url, trust_env=False, headers=headers) as client:
        answers = [client.get(READ), client.post(WRITE, json=SAY), client.post(API), client.get(PICTURE)]
    return [answer.status_code for answer in answers]


@pytest.mark.parametrize("said", FOREIGN.values(), ids=FOREIGN)
def test_others_are_turned_away(sandbox: Sandbox, said: dict[str, str]) -> None:
    """What names another host, or comes from another page, neither reads nor writes anything."""
    assert asked(sandbox, said) == [403, 403, 403, 403]
    assert not [one for one in sandbox.messages(GENERAL, ADA) if one.text == SAY["text"]]


@pytest.mark.parametrize("said", OWN.values(), ids=OWN)
def test_our_own_are_let_in(sandbox: Sandbox, said: dict[str, str]) -> None:
    """Programs on this machine and the workspace's page do what they did."""
    assert asked(sandbox, said) == [200, 200, 200, 404]
    assert [one.text for one in sandbox.messages(GENERAL, ADA)].count("hello") == 1


def test_a_link_leads_to_the_page_alone(sandbox: Sandbox) -> None:
    """A link in another page opens the workspace; a script there can't load what the page loads."""
    link = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "document"}
    with httpx.Client(base_url=sandbox.url, trust_env=False, headers=link) as client:
        assert [client.get(path).status_code for path in ("/", READ)] == [200, 403]


@pytest.mark.parametrize("said", [{"Origin": "https://attacker.example"}, {"Origin": "http://127.0.0.1:3000"}])
def test_no_page_opens_a_socket(sandbox: Sandbox, said: dict[str, str]) -> None:
    """WebSockets are not held back by browsers, so the workspace does it."""
    address = sandbox.url.replace("http", "ws", 1) + "/link/?ticket=x"
    with pytest.raises(InvalidStatus) as refused, connect(address, additional_headers=said, proxy=None):
        pytest.fail("it was let in")
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "", "example.com"])  # noqa: S104 - refused
def test_it_listens_on_this_machine_alone(host: str) -> None:
    """A workspace without passwords that others could reach is not even made."""
    with pytest.raises(LoopbackOnlyError, match="is not this machine alone"):
        Sandbox(Workspace.from_dict(PLAN), host=host)
