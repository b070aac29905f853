"""Files and folders that appear at once or not at all: built under a temporary name beside the target, then renamed.

What a killed process left is swept away by the next one on the same machine.
"""

import contextlib
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

_SUFFIX = ".part"


def temporary_name(target: Path) -> Path:
    """Beside `target`, hidden, and this process's own."""
    return target.with_name(f".{target.name}.{socket.gethostname()}-{os.getpid()}{_SUFFIX}")


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file; one that is there already is replaced."""
    temporary = temporary_name(path)
    try:
        write(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A temporary folder's path, not yet made; it becomes `path` where the block ends well.

    Errors: OSError where `path` holds something by then.
    """
    sweep(path)
    temporary = temporary_name(path)
    try:
        yield temporary
        os.rename(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def discard_folder(path: Path) -> None:
    """Delete a folder by a rename first, so that half of it is never taken for all."""
    if path.is_dir():
        doomed = temporary_name(path)
        os.rename(path, doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def sweep(path: Path) -> None:
    """Delete what dead processes of this machine left beside `path`."""
    prefix = f".{path.name}.{socket.gethostname()}-"
    for leftover in path.parent.glob(f".*{_SUFFIX}") if path.parent.is_dir() else ():
        pid = leftover.name.removeprefix(prefix).removesuffix(_SUFFIX)
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
