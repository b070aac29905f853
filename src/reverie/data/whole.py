"""Folders that appear at once or not at all: built under a temporary name beside the target, flushed, then renamed.

What a killed process left is swept away by the next one on the same machine.
"""

import contextlib
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from reverie.core.files import PART, sync, temporary_name


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A temporary folder's path, not yet made; it becomes `path` where the block ends well.

    Errors: OSError where `path` holds something by then.
    """
    sweep(path)
    temporary = temporary_name(path)
    try:
        yield temporary
        for inner in (*temporary.rglob("*"), temporary):  # on disk before what it was made of is deleted
            sync(inner)
        os.rename(temporary, path)
        sync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def discard_folder(path: Path) -> None:
    """Delete a folder by a rename first, so that half of it is never taken for all; also what a kill left of that."""
    sweep(path)
    if path.is_dir():
        doomed = temporary_name(path)
        os.rename(path, doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def sweep(path: Path) -> None:
    """Delete what dead processes of this machine left beside `path`."""
    prefix = f".{path.name}.{socket.gethostname()}-"
    for leftover in path.parent.glob(f".*{PART}") if path.parent.is_dir() else ():
        pid = leftover.name.removeprefix(prefix).removesuffix(PART)
        if leftover.name.startswith(prefix) and pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(leftover, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
