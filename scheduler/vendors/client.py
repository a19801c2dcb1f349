"""Asking a vendor: one call a second at the most, patient where it is asked to be, clear where it is refused."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

import msgspec

from policy.reasons import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from policy.vendors import Vendor

T = TypeVar("T")

SECONDS_APART = 1.0
"""Sixty calls a minute is what both vendors bear for long."""
TRIES = 6
LONGEST_WAIT = 60.0
TIMEOUT = 60.0
MOST_PAGES = 1_000
UNAUTHORISED, TOO_MANY, SERVER_ERROR = (401, 403), 429, 500

Parameters = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Access:
    """Where a vendor is asked, and by which key; the key is a secret and stays out of `repr`."""

    vendor: Vendor
    url: str
    """Without a slash at its end."""
    key: str = field(repr=False)


@dataclass(slots=True)
class Client:
    """Calls to one vendor."""

    access: Access
    headers: Mapping[str, str] = field(repr=False)
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    _last: float | None = None

    def pages(self, path: str, parameters: Parameters, kind: type[T]) -> Iterator[T]:
        """Every page of an answer; a Refusal where the pages lead in a circle, or have another form."""
        page: str | None = None
        for _ in range(MOST_PAGES):
            asked = [*parameters, ("page", page)] if page else parameters
            answer = self._decoded(path, self._get(path, asked), kind)
            yield answer
            if not answer.has_more:  # type: ignore[attr-defined]  # every page has both
                return
            following = answer.next_page  # type: ignore[attr-defined]
            if not following or following == page:
                raise Refusal(
                    "vendor_answer",
                    f"{self.access.vendor} says that {path} has more, but next_page is {following!r}.",
                    next_step="Try again later; nothing was kept.",
                )
            page = following
        raise Refusal("vendor_answer", f"{path} of {self.access.vendor} has more than {MOST_PAGES} pages.")

    def _decoded(self, path: str, body: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.DecodeError as error:
            raise Refusal(
                "vendor_answer",
                f"{path} of {self.access.vendor} has another form than documented: {error}.",
                next_step="Nothing was kept. Look for a newer release of the bot.",
            ) from error

    def _get(self, path: str, parameters: Parameters) -> bytes:
        url = f"{self.access.url}{path}?{urlencode(parameters)}"
        request = urllib.request.Request(url, headers=dict(self.headers))  # noqa: S310 - settings take http(s) alone
        for attempt in range(TRIES):
            self._keep_pace()
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310 - as above
                    body: bytes = answer.read()
                    return body
            except urllib.error.HTTPError as error:
                with error:
                    wait = self._wait_after(path, error, attempt)
            except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
                wait, reason = 2.0**attempt, getattr(error, "reason", error)
                if attempt == TRIES - 1:
                    raise self._away(str(reason)) from error
            self.sleep(wait)
        raise self._away("it kept asking to wait")

    def _wait_after(self, path: str, error: urllib.error.HTTPError, attempt: int) -> float:
        """How long to wait before the next try; a Refusal where none would help."""
        if error.code in UNAUTHORISED:
            raise Refusal(
                "vendor_key",
                f"{self.access.vendor} does not accept the key for {path} (HTTP {error.code}).",
                next_step=f"Set {self.access.vendor.upper()}_ADMIN_KEY to an admin key of the organisation.",
            )
        if error.code != TOO_MANY and error.code < SERVER_ERROR:
            raise Refusal("vendor_answer", f"{self.access.vendor} answers HTTP {error.code} to {path}.")
        if attempt == TRIES - 1:
            raise self._away(f"HTTP {error.code}")
        return min(_retry_after(error), LONGEST_WAIT) or 2.0**attempt

    def _away(self, reason: str) -> Refusal:
        return Refusal(
            "vendor_away",
            f"{self.access.vendor} does not answer: {reason}.",
            next_step="Nothing was kept; try again later.",
        )

    def _keep_pace(self) -> None:
        if self._last is not None and (wait := self._last + SECONDS_APART - self.monotonic()) > 0:
            self.sleep(wait)
        self._last = self.monotonic()


def _retry_after(error: urllib.error.HTTPError) -> float:
    text = error.headers.get("Retry-After", "") if error.headers else ""
    return float(text) if text.replace(".", "", 1).isdecimal() else 0.0


def repeated(name: str, values: Sequence[str]) -> Parameters:
    return [(name, value) for value in values]
