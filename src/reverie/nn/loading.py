"""Weights of other implementations into ours: names are translated one by one, and nothing is left over or missing.

A dialect is a list of (pattern, replacement); the first pattern that matches a whole name translates it, and the
replacement None says that the entry is not part of our network. Patterns that end in q, k, v of one attention translate
to "NAME.qkv[0]", "[1]" and "[2]": the three are joined, because our self-attention projects them at once.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from reverie.core import ReverieError

Dialect = Sequence[tuple[str, str | None]]

_PART = re.compile(r"(.*)\[([012])\](.*)")


def load_translated(
    module: nn.Module, state: Mapping[str, Tensor], dialect: Dialect, what: str, only: str = ".*"
) -> None:
    """Fill every parameter and buffer of `module` whose name is like `only` from `state`. Errors: ReverieError naming the
    entries that do not fit; `what` says whose weights they are."""
    ours = {name: value for name, value in module.state_dict().items() if re.fullmatch(only, name)}
    expected = _without_counters(ours)
    found = _joined(_without_counters(state), dialect, what)
    found = {n: v.reshape(expected[n].shape) if _squeezable(v, expected.get(n)) else v for n, v in found.items()}
    wrong = [f"{n} has {tuple(v.shape)}" for n, v in found.items() if n in expected and expected[n].shape != v.shape]
    missing, unknown = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing or unknown or wrong:
        raise ReverieError(
            f"weights of {what} do not fit {type(module).__name__}: missing {missing[:3]}, unknown {unknown[:3]}, "
            f"of another shape {wrong[:3]}; build it with the configuration those weights were made with"
        )
    module.load_state_dict(found, strict=False)


def _without_counters(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Batch norm counts its batches; frozen ones do not, and nothing reads the count."""
    return {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}


def _joined(state: Mapping[str, Tensor], dialect: Dialect, what: str) -> dict[str, Tensor]:
    """Entries under our names, queries, keys and values of one attention joined in this order."""
    whole: dict[str, Tensor] = {}
    parts: dict[str, dict[str, Tensor]] = {}
    for name, value in state.items():
        ours = translate(name, dialect, what)
        if ours is not None and (split := _PART.fullmatch(ours)):
            parts.setdefault(split[1] + split[3], {})[split[2]] = value
        elif ours is not None:
            whole[ours] = value
    return whole | {name: torch.cat([found[i] for i in sorted(found)]) for name, found in parts.items()}


def translate(name: str, dialect: Dialect, what: str) -> str | None:
    for pattern, replacement in dialect:
        if found := re.fullmatch(pattern, name):
            return None if replacement is None else found.expand(replacement)
    raise ReverieError(f"weights of {what} have an entry {name!r} that has no place in our network")


def _squeezable(value: Tensor, expected: Any) -> bool:
    """Whether only dimensions of size 1 differ: a table [1, N, d] for our [N, d]."""
    return expected is not None and [s for s in value.shape if s != 1] == [s for s in expected.shape if s != 1]
