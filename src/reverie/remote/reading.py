"""A Description out of YAML, and what is wrong with it in words."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from reverie.core import ActionSpec, ReverieError, unknown_name
from reverie.remote.description import INSTRUCTION, SEED, Answer, Description, Sent, SentImage, SentPiece


def read_description(path: Path) -> Description:
    """From a YAML file. Errors: ReverieError that names the file and the entry."""
    import yaml

    try:
        value = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise ReverieError(f"{path} not found: write it as `reverie/remote/description.py` says, or leave spec= out") from None  # fmt: skip
    except yaml.YAMLError as error:
        raise ReverieError(f"{path}: found no YAML ({error}); correct it") from None
    try:
        return description_of(value)
    except ReverieError as error:
        raise ReverieError(f"{path}: {error}") from None


def description_of(value: Any) -> Description:
    """From what YAML holds. Errors: ReverieError that names the entry."""
    given = dict(_entries(value, "the description", Description))
    sent = _mapping(given.pop("send"), "send")
    send = {key: _sent(entry, f"send, {key}") for key, entry in sent.items()}
    return Description(send=send, answer=_answer(given.pop("answer")), **given)


def _sent(value: Any, where: str) -> Sent:
    if isinstance(value, list | tuple):
        return tuple(_made(SentPiece, piece, f"{where}[{i}]") for i, piece in enumerate(value))
    if isinstance(value, Mapping):
        image: SentImage = _made(SentImage, value, where)
        return image
    if value not in (INSTRUCTION, SEED):
        raise ReverieError(f"{where} is {value!r}, expected a camera, a list of pieces of the state, or {INSTRUCTION}")
    return str(value)


def _answer(value: Any) -> Answer:
    """The key that is no name of ours is the server's."""
    ours = ("columns", "negate", "flip", "scale", "control_hz")
    given = dict(_mapping(value, "answer"))
    keys = [k for k in given if k not in ours]
    if len(keys) != 1:
        raise ReverieError(f"answer: found {keys}, expected one key of the server's answer (such as actions) beside {', '.join(ours)}")  # fmt: skip
    theirs = ActionSpec.from_dict(given.pop(keys[0]), f"answer, {keys[0]}")
    columns = _mapping(given.pop("columns", dict(zip(theirs.names, theirs.names, strict=True))), "answer, columns")
    scale = {k: (float(by), str(unit)) for k, (by, unit) in _mapping(given.pop("scale", {}), "answer, scale").items()}
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    try:
        return Answer(keys[0], theirs, tuple(columns.items()), scale=scale, **given)
    except ReverieError as error:
        raise ReverieError(f"answer: {error}") from None


def _made(kind: type[Any], value: Any, where: str) -> Any:
    entries = _entries(value, where, kind)
    try:
        return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in entries.items()})
    except ReverieError as error:
        raise ReverieError(f"{where}: {error}") from None


def _entries(value: Any, where: str, kind: type[Any]) -> Mapping[str, Any]:
    """Every entry known, none missing."""
    known = {f.name: f.default is MISSING and f.default_factory is MISSING for f in fields(kind)}
    found = _mapping(value, where)
    for name in found:
        if name not in known:
            raise unknown_name(f"entry of {where}:", str(name), list(known))
    if missing := [name for name, needed in known.items() if needed and name not in found]:
        raise ReverieError(f"{where}: found no {', '.join(missing)}; add what is missing")
    return found


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ReverieError(f"{where}: found {value!r}, expected entries with names")
    return value
