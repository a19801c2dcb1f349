"""The bot's HTTP interface as a job uses it, and the three ways in which it may not do what is asked."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTRACT = "1"
PATIENCE = 10
"""Seconds that an answer may take."""
LONGEST_ANSWER = 1_000_000


class Away(Exception):  # noqa: N818 - a state of the world
    """The bot did not answer, or said itself that it cannot: the same may be asked again."""


class Denied(Exception):  # noqa: N818 - an answer
    """A cap does not let it; the text says which, how much is left, and what to do."""


class Refused(Exception):  # noqa: N818 - an answer
    """The bot does not take what was sent, and will not take it a second time."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Stays(urllib.request.HTTPRedirectHandler):
    """The key goes to the address that was configured, and to no other."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Bot:
    """Where the bot is, and the key that opens it."""

    url: str
    key: str

    def reserve(self, hold: Mapping[str, Any]) -> dict[str, Any]:
        """Have a job's estimate held; the same id and estimate once more give the first answer again."""
        return self._post("/v1/holds", hold)

    def extend(self, hold_id: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Tell that a job still runs, and have more held where `wanted` has an estimate."""
        return self._post(f"/v1/holds/{_quoted(hold_id)}/extend", wanted)

    def settle(self, hold_id: str, event: Mapping[str, Any], *, final: bool) -> dict[str, Any]:
        """Post usage; the last report frees what is left of the hold."""
        return _first(self._post(f"/v1/holds/{_quoted(hold_id)}/settle{'' if final else '?final=false'}", event))

    def report(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Post usage that no hold stands for."""
        return _first(self._post("/v1/usage", event))

    def release(self, hold_id: str) -> dict[str, Any]:
        """Free a hold of which nothing was used."""
        return self._post(f"/v1/holds/{_quoted(hold_id)}/release", {})

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - the address is the operator's
            self.url.rstrip("/") + path,
            json.dumps(body).encode(),
            {
                "Authorization": f"Bearer {self.key}",
                "Content-Type": _kind_of(body),
                "X-Tokens-Contract": CONTRACT,
            },
        )
        try:
            with urllib.request.build_opener(_Stays).open(request, timeout=PATIENCE) as answer:
                return _read(answer.read(LONGEST_ANSWER))
        except urllib.error.HTTPError as error:
            with error:
                _raise(error.code, error.read(LONGEST_ANSWER))
        except OSError as error:
            raise Away(f"{type(error).__name__}: {error}") from error


def _first(answer: dict[str, Any]) -> dict[str, Any]:
    """What became of the one event that was sent; Refused where it was not taken."""
    [result] = answer["results"]
    if result["status"] in {"rejected", "conflict"}:
        raise Refused(str(result["status"]), str(result.get("detail")))
    return dict(result)


def _kind_of(body: Mapping[str, Any]) -> str:
    return "application/cloudevents+json" if "specversion" in body else "application/json"


def _quoted(name: str) -> str:
    return urllib.parse.quote(name, safe="")


def _read(raw: bytes) -> dict[str, Any]:
    try:
        told = json.loads(raw)
    except ValueError as error:
        raise Away("what answered is not the bot") from error
    if not isinstance(told, dict):
        raise Away("what answered is not the bot")
    return told


def _raise(status: int, raw: bytes) -> NoReturn:
    points_elsewhere = status < HTTPStatus.BAD_REQUEST
    if points_elsewhere or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        raise Away(f"HTTP {status}")
    told = _read(raw)
    error = told.get("error")
    if isinstance(error, dict) and error.get("type") == "budget_exceeded":
        raise Denied(str(error.get("message")))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Away(f"HTTP {status}")
    raise _refused(str(told.get("detail") or f"HTTP {status}"))


def _refused(detail: str) -> Refused:
    """Details begin with their code, as in "cancelled: An administrator ended it."."""
    code, _, message = detail.partition(": ")
    return Refused(code, message or detail)
