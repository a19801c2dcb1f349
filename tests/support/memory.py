"""Where tests keep what they throw away: in memory, so that no one waits for a disk."""

from __future__ import annotations

import os
import shutil

FOLDER = "/dev/shm"  # noqa: S108 - folders of our own are made in it
LEAST = 1 << 30
"""So many bytes have to be free there: a container often has a few only."""


def folder() -> str | None:
    """A folder in memory; None (wherever temporary files are) on a machine that has none, or too little of it."""
    usable = os.access(FOLDER, os.W_OK) and shutil.disk_usage(FOLDER).free > LEAST
    return FOLDER if usable else None
