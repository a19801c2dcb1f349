"""A file that goes out with a message, for reading in a browser or for the shelf."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    filename: str
    title: str
    content: bytes
