"""Where a policy looks: attention from the tokens that become its actions, and the heat-maps of a grounded backbone, for one
frame and one instruction. Nothing is trained or rolled out.

A layer's attention is the mean over heads and over those tokens (and over the steps of a sampler). Rollout follows it back
through the layers: with W_l the attention of layer l, R = prod (W_l + I) / 2, I for what residual connections carry past
it (Abnar & Zuidema 2020, "Quantifying Attention Flow in Transformers", section 3). Neither says what causes an action.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from reverie.core import Episode, Observations, ObservationSpec, ReverieError
from reverie.core.specs import observation_differences
from reverie.nn.blocks import Probabilities
from reverie.nn.grounding import SLOTS
from reverie.nn.token_learner import TokenLearner
from reverie.policies import LearnedPolicy
from reverie.policies.attention import LAYOUTS, Layout, word_tokens
from reverie.policies.encoders import Encoded, GroundedEncoder, Place
from reverie.rollouts.windows import window
from reverie.transforms import NormalizeActions, Pipeline

Array = NDArray[np.float64]
ROLLOUT = "rollout over all layers"
_READER = "encoder.backbone.reader.trunk."


@dataclass(frozen=True)
class Layer:
    """Attention that sums to 1. shares: by kind of token (`policies.attention`; images through RT-1's summaries are images).
    times [To]: on what was observed at each time, the newest last. images [To, N]: on image tokens, None where tokens are
    whole frames. words [L]."""

    name: str
    shares: Mapping[str, float]
    times: Array
    images: Array | None
    words: Array


@dataclass(frozen=True)
class Heatmaps:
    """Of a grounded backbone in the newest frame. maps [V, S, h, w]: the supervised distributions; they lack what says "not
    in this image". points [V, S, 2]: where features are read. read [S, L]: rollout over the layers that read the
    instruction, from what is looked for to its words."""

    maps: Array
    points: Array
    read: Array


@dataclass(frozen=True)
class Look:
    """What one instruction made of a frame. words: L tokens; places: of N image tokens of the newest frame. layers: one for
    each layer in which actions read anything else, then the rollout; none for a network without attention. actions
    [H, A], in units and normalised."""

    instruction: str
    words: tuple[str, ...]
    places: tuple[Place, ...]
    layers: tuple[Layer, ...]
    found: Heatmaps | None
    actions: Array
    normalised: Array


def difference(a: Look, b: Look) -> float:
    """How differently they act: the mean absolute difference of their chunks, in standard deviations of the training
    actions (openings as they are)."""
    return float(np.abs(a.normalised - b.normalised).mean())


def look(policy: LearnedPolicy, episode: Episode, frame: int, instruction: str, seed: int = 0) -> Look:
    """The policy before frame number `frame` of the episode, told `instruction`.

    Errors: ReverieError for a frame that is not there, and cameras or state that the policy needs and the episode lacks.
    """
    observations = _observed(policy.observation_spec, episode, frame, instruction)
    with _watching(policy.model) as seen:
        chunk, _ = policy.infer(observations, None, [seed])
    encoder, encoded = policy.model.encoder, seen.encoded[-1]
    words = word_tokens(encoder, policy.transforms.apply_text(instruction))
    layout = LAYOUTS[policy.family](policy.model, encoded)
    scaling = Pipeline(tuple(t for t in policy.transforms.transforms if isinstance(t, NormalizeActions)))
    return Look(
        instruction=instruction,
        words=words,
        places=tuple(encoder.places(encoded)),
        layers=_layers(seen, layout) if layout else (),
        found=_heatmaps(encoder, seen) if isinstance(encoder, GroundedEncoder) else None,
        actions=chunk.values[0].astype(np.float64),
        normalised=scaling.apply({"actions": chunk.values[0].astype(np.float64)})["actions"],
    )


def _observed(spec: ObservationSpec, episode: Episode, frame: int, instruction: str) -> Observations:
    """[1, n_obs_steps, ...]"""
    if not 0 <= frame < episode.n_frames:
        raise ReverieError(f"frame {frame}: the episode has {episode.n_frames} frames; give 0..{episode.n_frames - 1}")
    if lacking := observation_differences(spec, episode.observation_spec):
        listed = "\n  - ".join(lacking)
        raise ReverieError(f"the policy cannot look at this episode (world: the episode):\n  - {listed}")
    frames = [replace(episode.observations[i : i + 1], instructions=(instruction,)) for i in range(frame + 1)]
    return window(frames, spec, episode.observation_spec)


@dataclass
class _Seen:
    """What hooks saw: attention matrices by module name in the order of computation, TokenLearner's maps [To, K, N]."""

    encoded: list[Encoded] = field(default_factory=list)
    calls: list[tuple[str, Array]] = field(default_factory=list)
    summaries: list[Array] = field(default_factory=list)


@contextmanager
def _watching(model: Any) -> Iterator[_Seen]:
    seen = _Seen()

    def keep(name: str) -> Any:
        return lambda module, given, weights: seen.calls.append((name, _array(weights).mean(1)[-1]))

    handles = [model.encoder.register_forward_hook(lambda module, given, encoded: seen.encoded.append(encoded))]
    for name, module in model.named_modules():
        if isinstance(module, Probabilities):
            handles.append(module.register_forward_hook(keep(name)))
        if isinstance(module, TokenLearner):
            handles.append(
                module.maps.register_forward_hook(lambda m, given, maps: seen.summaries.append(_array(maps)))
            )
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _array(tensor: Tensor) -> Array:
    return tensor.detach().double().cpu().numpy()


def _layers(seen: _Seen, layout: Layout) -> tuple[Layer, ...]:
    kinds = [part.kind for part in layout.parts for _ in part.numbers]
    acting = np.array([kind == "action" for kind in kinds])
    matrices = joint(seen.calls, layout)
    reading = {name: matrix[acting].mean(0) for name, matrix in matrices.items()}
    reading = {name: weights for name, weights in reading.items() if weights[~acting].any()}
    reading[ROLLOUT] = rolled_out(list(matrices.values()))[acting].mean(0)
    return tuple(_layer(name, weights, layout, seen) for name, weights in reading.items())


def joint(calls: Sequence[tuple[str, Array]], layout: Layout) -> dict[str, Array]:
    """Module -> attention among all M tokens, [M, M], the mean over its calls; a token that takes no part reads itself."""
    size = sum(len(part.numbers) for part in layout.parts)
    kept: dict[str, dict[int, list[Array]]] = {}
    for name, weights in calls:
        if (i := _block_of(name, weights, layout, size)) is not None:
            kept.setdefault(name.removesuffix(".probabilities"), {}).setdefault(i, []).append(weights)
    matrices = {name: np.eye(size) for name in kept}
    for name, by_block in kept.items():
        for i, found in by_block.items():
            _, rows, columns = layout.blocks[i]
            matrices[name][rows] = 0
            matrices[name][rows, columns] = np.mean(found, axis=0)
    return matrices


def _block_of(name: str, weights: Array, layout: Layout, size: int) -> int | None:
    """Of the blocks that a module has, the one with as many rows and columns."""
    named = [(i, b) for i, b in enumerate(layout.blocks) if re.match(b.modules, name)]
    fitting = [i for i, b in named if weights.shape == (len(range(size)[b.rows]), len(range(size)[b.columns]))]
    if named and not fitting:
        raise ValueError(f"{name} gave attention of {weights.shape}, which no block of {layout} has")
    return fitting[0] if fitting else None


def rolled_out(matrices: Sequence[Array]) -> Array:
    """Attention [M, M] of every layer, the first first -> how much of each token reaches each, rows that sum to 1."""
    rollout: Array = np.eye(len(matrices[0]))
    for matrix in matrices:
        rollout = (matrix + np.eye(len(matrix))) / 2 @ rollout
    return rollout


def _layer(name: str, weights: Array, layout: Layout, seen: _Seen) -> Layer:
    """Attention on M tokens, by what they are."""
    encoded = seen.encoded[-1]
    times, n = encoded.tokens.shape[1:3]
    images, frames, words = np.zeros((times, n)), np.zeros(times), np.zeros(encoded.text.shape[1])
    shares: dict[str, float] = {}
    left = iter(weights)
    for kind, numbers in layout.parts:
        mine, at = np.array([next(left) for _ in numbers]), np.array(numbers)
        of = "image" if kind == "summary" else kind
        shares[of] = shares.get(of, 0.0) + float(mine.sum())
        if kind == "image":
            images.flat[at] += mine
        elif kind == "summary":
            images[at[0] // len(at)] += mine @ seen.summaries[-1][at[0] // len(at)]
        elif kind == "frame":
            frames[at] += mine
        elif kind == "word":
            words[at] += mine
    is_mapped = "image" in shares
    return Layer(name, shares, images.sum(1) if is_mapped else frames, images if is_mapped else None, words)


def _heatmaps(encoder: GroundedEncoder, seen: _Seen) -> Heatmaps:
    found = seen.encoded[-1].found
    assert found is not None
    maps = _array(found.maps[-1].float().softmax(-1)[..., :-1])  # [V, S, h w]
    read = rolled_out([weights for name, weights in seen.calls if name.startswith(_READER)])
    return Heatmaps(maps.reshape(*maps.shape[:2], *encoder.backbone.grid), _array(found.points[-1]), read[: len(SLOTS)])
