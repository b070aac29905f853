"""From what a user types to a judge: `http://host:8000/v1?model=NAME&votes=3`, or a folder or name of a local model.

The text is stored in plans and receipts, so a key may not be part of it.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from reverie.core import ReverieError, unknown_name
from reverie.judges.vlm.endpoint import ChatEndpoint
from reverie.judges.vlm.judge import VlmConfig, VlmJudge

JUDGE: Mapping[str, Callable[[str], Any]] = {"votes": int, "frames": int, "least_px": int}
SPEAKER: Mapping[str, Callable[[str], Any]] = {"temperature": float, "max_tokens": int}
ENDPOINT: Mapping[str, Callable[[str], Any]] = {
    **SPEAKER, "model": str, "key": str, "timeout_s": float, "tries": int, "backoff_s": float, "parallel": int,
}  # fmt: skip
FORM = "expected vlm:http://HOST:PORT/v1?model=NAME&votes=3, or vlm:FOLDER?votes=3 for a local model"


def vlm_judge(rest: str) -> VlmJudge:
    """Errors: ReverieError for an option that is not known, a URL without a model, or one that holds a password."""
    place, _, query = rest.partition("?")
    if not place:
        raise ReverieError(f"vlm:{rest}: names no endpoint and no model; {FORM}")
    remote = place.startswith(("http://", "https://"))
    found = _options(query, {**JUDGE, **(ENDPOINT if remote else SPEAKER)})
    config = VlmConfig(**{k: v for k, v in found.items() if k in JUDGE})
    rest_of_them = {k: v for k, v in found.items() if k not in JUDGE}
    if remote:
        return VlmJudge(endpoint(place, rest_of_them), config)
    from reverie.judges.vlm.local import LocalModel

    return VlmJudge(LocalModel(place, **rest_of_them), config)


def endpoint(url: str, options: dict[str, Any]) -> ChatEndpoint:
    if urlsplit(url).username is not None or urlsplit(url).password is not None:
        raise ReverieError(
            "vlm: the URL holds a user name or password, which would be stored with the run; leave it out"
        )
    model, key = options.pop("model", ""), options.pop("key", None)
    if not model:
        raise ReverieError(f"vlm:{url}: names no model; {FORM}")
    if key is None:
        return ChatEndpoint(url.rstrip("/"), model, **options)
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", key):
        raise ReverieError(
            f"vlm:{url}: key must be the NAME of an environment variable in capitals, not a key: specs are stored"
        )
    return ChatEndpoint(url.rstrip("/"), model, key_variable=key, **options)


def _options(query: str, known: Mapping[str, Callable[[str], Any]]) -> dict[str, Any]:
    found = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            raise unknown_name("option of vlm", name, list(known))
        found[name] = _number(name, text, known[name])
    return found


def _number(name: str, text: str, kind: Callable[[str], Any]) -> Any:
    try:
        value = kind(text)
    except ValueError:
        raise ReverieError(f"vlm: {name} is {text!r}, expected a number") from None
    least = {"temperature": 0.0, "backoff_s": 0.0, "timeout_s": 1e-3}.get(name, 1)
    if not isinstance(value, str) and not (math.isfinite(value) and value >= least):
        raise ReverieError(f"vlm: {name} is {text}, expected at least {least}")
    return value
