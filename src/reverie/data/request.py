"""What was asked of a data set: a JSON value that lies beside its staged episodes and then in the data set.

So a request that goes on or is repeated is told from another one, whose episodes must not be mixed in. It lies outside
meta/: the same episodes are the same content, whoever asked for them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reverie.core import ReverieError
from reverie.core.files import write_text
from reverie.data.layout import is_dataset, staging_folder
from reverie.data.record import dump_json
from reverie.data.whole import discard_folder

FILE = "request.json"
Request = Mapping[str, Any]
_SHOWN = 80  # characters of a value in a message


def is_finished(root: Path | str, request: Request) -> bool:
    """Whether the data set of this request lies at `root`; then what a kill left of its staging is deleted.

    Errors: ReverieError if a data set of another request, or of an unknown one, lies there.
    """
    root = Path(root)
    if not is_dataset(root):
        return False
    check_request(root, request)
    discard_folder(staging_folder(root))
    return True


def write_request(folder: Path, request: Request) -> None:
    write_text(folder / FILE, dump_json(request, FILE) + "\n")


def read_request(folder: Path) -> Any:
    """The request stored in a staging folder or a data set, None where there is none."""
    path = folder / FILE
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ReverieError(f"{path}: found broken JSON ({error}), expected a request: delete {folder}") from error


def check_request(folder: Path, request: Request) -> None:
    """Errors: ReverieError that lists what differs from the request stored in `folder`."""
    stored = read_request(folder)
    if stored is None:
        raise ReverieError(
            f"{folder} holds episodes without {FILE}, so nobody can tell what was asked for: choose another folder, or "
            "move this one away"
        )
    found = differences(stored, json.loads(dump_json(request, FILE)))
    if found:
        raise ReverieError(
            f"{folder} is of another request ({'; '.join(found)}): ask for the same again, choose another folder, or move "
            "that one away"
        )


def differences(old: Any, new: Any, name: str = "") -> list[str]:
    """What differs between two JSON values, entry by entry; of inner objects with other entries, which those are."""
    if isinstance(old, dict) and isinstance(new, dict) and (not name or old.keys() == new.keys()):
        names = sorted({**old, **new})
        return [d for k in names for d in differences(old.get(k), new.get(k), f"{name}.{k}" if name else k)]
    return [] if old == new else [f"{name}: it has {_short(old)}, asked for {_short(new)}"]


def _short(value: Any) -> str:
    text = ", ".join(value) if isinstance(value, dict) else repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
