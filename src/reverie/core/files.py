"""Files that appear whole or not at all, also across a power cut: written beside the target, flushed, renamed.

The only place where the program writes a file that another run may find. It knows no formats.
"""

import os
import socket
from collections.abc import Callable
from pathlib import Path

PART = ".part"


def temporary_name(target: Path) -> Path:
    """Beside `target`, hidden, and this process's own: two processes may write the same file."""
    return target.with_name(f".{target.name}.{socket.gethostname()}-{os.getpid()}{PART}")


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """`write(temporary)` makes the file, which then becomes `path`; one that is there already is replaced."""
    temporary = temporary_name(path)
    try:
        write(temporary)
        sync(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def write_text(path: Path, text: str) -> None:
    write_whole(path, lambda temporary: temporary.write_text(text))


def sync(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
