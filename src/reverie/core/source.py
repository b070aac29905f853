"""Which code computed a result: hashes of source bytes, for fingerprints that nobody has to remember to change, and the
git commit. A changed comment changes a hash too: a false alarm costs a run, a missed change a wrong comparison.
"""

import hashlib
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from reverie.core.errors import ReverieError


@cache
def source_hash(*names: str) -> str:
    """16 hexadecimal digits over the source files of modules and packages, by their dotted names.

    Errors: ReverieError for a name without source files (a program frozen without them cannot say what it computes).
    """
    digest = hashlib.blake2b(digest_size=8)
    for name in names:
        for path in _files(name):
            content = path.read_bytes()
            digest.update(f"{name} {path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _files(name: str) -> list[Path]:
    found = find_spec(name)
    if found is not None and found.submodule_search_locations:
        files = sorted(p for folder in found.submodule_search_locations for p in Path(folder).rglob("*.py"))
    else:
        files = [Path(found.origin)] if found is not None and found.origin else []
    if not files or not all(path.is_file() for path in files):
        raise ReverieError(
            f"no source files of {name!r}: fingerprints need them; install the package with its .py files"
        )
    return files


@cache
def commit() -> str | None:
    """The git commit of the source tree, "+" if it has changes; None outside a repository."""
    ask = ["git", "-C", str(Path(__file__).resolve().parent), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        found = subprocess.run(ask, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None
