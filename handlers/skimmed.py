"""Some members of a JSON object, read while it arrives: of the others nothing is kept but their size."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from handlers.decoding import MalformedBodyError

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_KEPT = 65_536
"""Bytes of the members that are wanted, and of each name."""
_IN_TEXT, _BETWEEN = re.compile(rb'["\\]'), re.compile(rb'["{}\[\],:]')


class Skimmed:
    """What was fed of an object so far; `sizes` are the bytes of the members that are not wanted.

    Only its brackets, commas and quotes are looked at: whoever decodes `kept` finds whether that is JSON.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        self.sizes: dict[str, int] = {}
        self._wanted = wanted
        self._kept: dict[str, bytes] = {}
        self._piece = bytearray()
        self._name: str | None = None
        self._size = self._depth = 0
        self._in_text = self._is_escaped = False

    def feed(self, chunk: bytes) -> None:
        at = 0
        while at < len(chunk):
            if self._is_escaped:
                self._is_escaped, end = False, at + 1
                self._take(chunk[at:end])
            else:
                found = (_IN_TEXT if self._in_text else _BETWEEN).search(chunk, at)
                end = found.end() if found else len(chunk)
                self._take(chunk[at : end - 1] if found else chunk[at:])
                if found:
                    self._meet(found[0])
            at = end

    def kept(self) -> bytes:
        """The object with nothing but what is wanted, once all of it was fed."""
        if self._depth or self._in_text or self._name is not None:
            raise MalformedBodyError("the body ends in the midst of its JSON")
        members = b",".join(b'"%b":%b' % (name.encode(), value) for name, value in self._kept.items())
        return b"{%b}" % members

    def _meet(self, mark: bytes) -> None:
        """A quote, a backslash in a text, or what stands between values."""
        if self._in_text or mark == b'"':
            self._take(mark)
            self._in_text = self._in_text != (mark == b'"')
            self._is_escaped = mark == b"\\"
            return
        before, step = self._depth, {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(mark, 0)
        self._depth += step
        if before == 0:
            if mark != b"{" or self._kept or self.sizes:
                raise MalformedBodyError("the body is no JSON object")
        elif before == 1 and mark in b",}]":
            self._end_member()
        elif before == 1 and mark == b":" and self._name is None:
            self._name, self._piece, self._size = _read_name(self._piece), bytearray(), 0
        else:
            self._take(mark)

    def _take(self, piece: bytes) -> None:
        if self._depth == 0:
            return
        self._size += len(piece)
        if self._name is None or self._name in self._wanted:
            self._piece += piece
            if len(self._piece) > MOST_KEPT:
                raise MalformedBodyError(f"a member or a name has more than {MOST_KEPT} bytes")

    def _end_member(self) -> None:
        if self._name is None:
            if self._piece.strip():
                raise MalformedBodyError("the body is no JSON object")
        elif self._name in self._wanted:
            self._kept[self._name] = bytes(self._piece)
        else:
            self.sizes[self._name] = self._size
        self._name, self._piece = None, bytearray()


def _read_name(piece: bytearray) -> str:
    text = piece.strip()
    if len(text) < len('""') or text[:1] != b'"' or text[-1:] != b'"':
        raise MalformedBodyError("the body is no JSON object")
    return text[1:-1].decode(errors="replace")
