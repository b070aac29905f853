"""Which of a network's tokens become actions, and which modules let its tokens read each other: one table over families.

Attention of our networks leaves `nn.blocks.Probabilities` modules, so hooks see it all; what the rows and columns of such a
matrix are, only the family's `forward` says. Here it is said once, as values; `evaluation.attention` reads them.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from reverie.nn.grounding import SLOTS
from reverie.policies.encoders import Encoded, GroundedEncoder

Kind = Literal["action", "image", "word", "state", "summary", "frame", "readout", "style", "step"]
"""action: what comes out as actions; image: time times N plus its place in `Encoded.tokens`; summary: what TokenLearner makes
of the images; frame: all that is known of one observed time; readout: Octo's older ones; style: ACT's z; step: a diffusion's."""


class Part(NamedTuple):
    """Consecutive tokens of one kind, and which of that kind they are."""

    kind: Kind
    numbers: range


class Block(NamedTuple):
    """Modules whose name begins like `modules` (a regular expression) let the tokens `rows` read the tokens `columns`."""

    modules: str
    rows: slice
    columns: slice


class Layout(NamedTuple):
    """All tokens that attention mixes, part after part, and where it does."""

    parts: tuple[Part, ...]
    blocks: tuple[Block, ...]


ALL = slice(None)


def _first(kind: Kind, n: int) -> Part:
    return Part(kind, range(n))


def _vla(model: Any, encoded: Encoded) -> Layout:
    times, n = encoded.tokens.shape[1:3]
    parts = _first("action", model.config.horizon), _first("image", times * n), _words(encoded), _first("state", times)
    return Layout(parts, (Block(r"trunk\.", ALL, ALL),))


def _octo(model: Any, encoded: Encoded) -> Layout:
    """The newest readout is what the head turns into actions."""
    times, n = encoded.tokens.shape[1:3]
    parts = [_words(encoded)]
    for t in range(times):
        parts.append(Part("image", range(t * n, (t + 1) * n)))
        parts += [Part("state", range(t, t + 1))] if model.config.state_token else []
        parts += [_words(encoded)] if model.config.repeat_task_tokens else []
        parts.append(_first("action", 1) if t == times - 1 else Part("readout", range(t, t + 1)))
    return Layout(tuple(parts), (Block(r"trunk\.", ALL, ALL),))


def _rt1(model: Any, encoded: Encoded) -> Layout:
    times, n = encoded.tokens.shape[1], model.config.n_tokens
    parts: list[Part] = []
    for t in range(times):
        parts.append(Part("summary", range(t * n, (t + 1) * n)))
        parts += [Part("state", range(t, t + 1))] if model.config.state_token else []
    parts.append(_first("action", len(model.order) - times * model.n_frame))
    return Layout(tuple(parts), (Block(r"layers\.", ALL, ALL),))


def _act(model: Any, encoded: Encoded) -> Layout:
    """Memory first, then the decoder's queries."""
    times, n = encoded.tokens.shape[1:3]
    memory = [
        _first("style", 1),
        Part("state", range(times - 1, times)),
        Part("image", range((times - 1) * n, times * n)),
    ]
    memory += [_words(encoded)] if model.config.language else []
    seen, asking = _split(memory)
    blocks = (
        Block(r"layers\.", seen, seen),
        Block(r"decoder\.\d+\.attention\.", asking, asking),
        Block(r"decoder\.\d+\.cross\.", asking, seen),
    )
    return Layout((*memory, _first("action", model.config.horizon)), blocks)


def _flow_vla(model: Any, encoded: Encoded) -> Layout:
    """The prefix reads itself once; state and noisy actions read it and themselves at every Euler step."""
    times, n = encoded.tokens.shape[1:3]
    prefix = [_first("image", times * n), _words(encoded)]
    before, after = _split(prefix)
    blocks = Block(r"decoder\.", before, before), Block(r"decoder\.", after, ALL)
    return Layout((*prefix, _first("state", 1), _first("action", model.config.horizon)), blocks)


def _diffusion_policy(model: Any, encoded: Encoded) -> Layout | None:
    """The transformer's memory: the step, and each observed time as one token. The U-Net has no attention."""
    if model.config.denoiser != "transformer":
        return None
    memory = [_first("step", 1), _first("frame", encoded.tokens.shape[1])]
    seen, asking = _split(memory)
    blocks = (
        Block(r"denoiser\.blocks\.\d+\.attention\.", asking, asking),
        Block(r"denoiser\.blocks\.\d+\.cross\.", asking, seen),
    )
    return Layout((*memory, _first("action", model.config.horizon)), blocks)


def _none(model: Any, encoded: Encoded) -> None:
    """All that is seen goes side by side into an MLP."""


LAYOUTS: dict[str, Callable[[Any, Encoded], Layout | None]] = {
    "simple_vla": _none,
    "bc": _none,
    "rt1": _rt1,
    "act": _act,
    "diffusion_policy": _diffusion_policy,
    "octo": _octo,
    "flow_vla": _flow_vla,
    "vla": _vla,
}
"""(model, what its encoder saw) -> its layout; None where no attention lies between what is seen and what is done."""


def _words(encoded: Encoded) -> Part:
    return _first("word", encoded.text.shape[1])


def _split(parts: list[Part]) -> tuple[slice, slice]:
    """These parts, and all that follows."""
    n = sum(len(p.numbers) for p in parts)
    return slice(0, n), slice(n, None)


def word_tokens(encoder: Any, instruction: str) -> tuple[str, ...]:
    """The tokens of `Encoded.text`, as they are spelled; where an encoder has slots, those come first."""
    if isinstance(encoder, GroundedEncoder):
        text: Any = encoder.backbone.reader.encoder
        return (*(f"<{slot}>" for slot in SLOTS), *text.spell(instruction))
    return tuple(encoder.text.spell(instruction))
