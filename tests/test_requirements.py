"""What is installed is what was looked at: exact versions, each with its hashes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "requirements"
PINNED = re.compile(r"[A-Za-z0-9._\-]+(\[[a-z,]+\])?==[^\s;]+( ; [^\\]+)?( --hash=sha256:[0-9a-f]{64})+")


@pytest.mark.parametrize("name", ["run.txt", "test.txt", "build.txt", "uv.txt", "audit.txt"])
def test_everything_is_pinned_with_its_hash(name: str) -> None:
    """No line of a requirement file leaves a choice of version or of content, or names an index of its own."""
    text = (FOLDER / name).read_text().replace("\\\n", "")
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert lines
    assert [line for line in lines if not PINNED.fullmatch(line)] == []
