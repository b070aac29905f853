"""Batches for policies and for grounding, from a frame cache: windows, chunks, names, and where the named things are."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from reverie.core import content_hash, generator
from reverie.data.cache import FrameCache
from reverie.policies.encoders import GroundedEncoder
from reverie.policies.learned import to_tensors
from reverie.training.augmentation import UNCHANGED, Augmentation
from reverie.training.naming import Naming, symmetries
from reverie.training.sampler import WeightedSampler
from reverie.training.sayings import Sayings
from reverie.training.seen import SeenFrames, see
from reverie.training.selection import FAR_M, Rows, hand, rows_of, split_episodes
from reverie.training.source import WHOLE
from reverie.training.statistics import Kind
from reverie.training.supervision import slots
from reverie.training.windows import Window, chunk, observe, observed_frames
from reverie.transforms import Batch, NormalizeActions, Pipeline


@dataclass(frozen=True)
class CloningConfig:
    """What is imitated, and how often.

    sources: whose episodes (`provenance.source`; empty: anyone's); failed ones never. cameras, commanded, measured: what
    the policy sees; None takes every camera, and pose and opening of the commanded state. counterfactual: share of rows
    in which the sentence names other things of the scene; they teach grounding, their actions are not imitated.
    far_weight: how often frames with the hand far from the target are drawn; done_weight: those after success, a third of a
    demonstration in which nothing happens. others: how often a frame of an episode that
    is not imitated is drawn, for grounding. image_size: (height, width) that cameras are resized to.
    episodes: how many to learn from (0: all), for learning curves. questions: share of rows that ask about the scene
    instead of telling what to do (grounding only). paraphrase: share of rows in which the sentence is
    rewritten by a training template of the scene's task. augmentation: of the pictures. normalisation: of state and
    actions, by mean and standard deviation or by the 1 % and 99 % quantiles. intended: imitate what the demonstrator meant,
    where the data says so, not the noise that was added to it.
    """

    sources: tuple[str, ...] = ("expert", "clean_expert")
    cameras: tuple[str, ...] | None = None
    commanded: tuple[str, ...] | None = None
    measured: tuple[str, ...] = ()
    image_size: tuple[int, int] | None = None
    counterfactual: float = 0.25
    questions: float = 0.0
    far_weight: float = 2.0
    done_weight: float = 1.0
    others: float = 0.0
    episodes: int = 0
    validation_fraction: float = 0.05
    validation_rows: int = 512
    paraphrase: float = 0.0
    augmentation: Augmentation = UNCHANGED
    normalisation: Kind = "mean_std"
    intended: bool = True


POSE_NAMES = ("x", "y", "z", "qw", "qx", "qy", "qz", "opening")


def window_of(cache: FrameCache, config: CloningConfig, n_obs_steps: int, obs_stride: int, horizon: int) -> Window:
    spec = cache.observation_spec
    commanded = config.commanded
    if commanded is None:
        pose = tuple(n for n in spec.commanded if n in POSE_NAMES)
        commanded = pose or spec.commanded
    cameras = config.cameras if config.cameras is not None else spec.camera_names
    return Window(cameras, commanded, config.measured, n_obs_steps, obs_stride, horizon, config.intended)


class Demonstrations:
    """A Source over a frame cache: `batch(step, size)` for training, `validation()` with the same rows every time."""

    def __init__(
        self, cache: FrameCache, config: CloningConfig, window: Window, transforms: Pipeline, seed: int
    ) -> None:
        self.cache, self.config, self.window, self.transforms, self.seed = cache, config, window, transforms, seed
        train, held_out = split_episodes(cache, config.validation_fraction)
        train = train[: config.episodes] if config.episodes else train
        self.train_episodes = train
        self.rows = rows_of(cache, train, config.sources, config.far_weight, config.others, config.done_weight)
        self.held_out = _or_none(cache, held_out, config)
        self.sampler = WeightedSampler(self.rows.weights, seed)
        self.seen: SeenFrames | None = None
        spell = transforms.apply_text
        self.said = Sayings(cache, spell, seed, config.counterfactual, config.questions, config.paraphrase)
        n_things = max([len(e.scene.objects) for e in cache.episodes if e.scene is not None] or [0])
        self.symmetry = np.zeros((len(cache.episodes), max(n_things, 1)), np.float32)
        for i, episode in enumerate(cache.episodes):
            if episode.scene is not None and episode.scene.objects:
                self.symmetry[i, : len(episode.scene.objects)] = symmetries(episode.scene)

    @property
    def fingerprint(self) -> str:
        return content_hash([self.cache.path.name, asdict(self.config), asdict(self.window), self.transforms.to_list(), self.seed, self.seen is not None])  # fmt: skip

    def sentences(self) -> list[str]:
        """Every sentence that a batch may hold, for a text encoder to prepare."""
        return self.said.every(
            sorted({*self.train_episodes, *(self.held_out.episodes.tolist() if self.held_out else ())})
        )

    def look_once(self, encoder: GroundedEncoder, folder: Path, quiet: bool) -> None:
        """Training batches hold what a frozen encoder sees instead of images, for the sentence that was meant: naming other
        things teaches only a backbone that learns."""
        episodes = np.unique(self.rows.episodes)
        frames = np.concatenate([np.arange(*self.cache.frame_offsets[e : e + 2]) for e in episodes])
        sentences = [self.said.meant(e).instruction for e in episodes]
        inputs = [t for t in self.transforms.to_list() if t["name"] != NormalizeActions.name]
        prepared, n = [inputs, self.window.robot], int(self.cache.frame_offsets[-1])
        self.seen = see(encoder, self._look, frames, sentences, prepared, n, folder, quiet)

    def _look(self, frames: NDArray[np.int64]) -> Batch:
        episodes = np.searchsorted(self.cache.frame_offsets, frames, side="right") - 1
        said = [self.said.meant(e).instruction for e in episodes]
        return to_tensors(
            self.transforms.apply({**observe(self.cache, frames[:, None], self.window), "instructions": said})
        )

    def batch(self, step: int, size: int, rows: slice = WHOLE) -> Batch:
        chosen = self.sampler.rows(step, size)
        names = self.said.draw(self.rows.frames[chosen], self.rows.episodes[chosen], step, self.seen is not None)
        return self._batch(self.rows, chosen[rows], names[rows], self.seen)

    def validation(self) -> Mapping[str, Iterator[Batch]]:
        """`held_out`; the same with another row's sentence (`shuffled`: an instruction-blind network does not notice);
        with other things named, for grounding (`counterfactual`); and with questions, if any are asked (`asked`)."""
        if self.held_out is None:
            return {}
        kinds = ["held_out", "shuffled"]
        if self.seen is None:  # a frozen backbone is told nothing new by other names
            kinds += ["counterfactual"] + ["asked"] * bool(self.config.questions)
        return {kind: self._validation(kind) for kind in kinds}

    def _validation(self, kind: str) -> Iterator[Batch]:
        rows = self.held_out
        assert rows is not None
        rng = generator("validation rows", self.seed)
        picked = rng.choice(len(rows), min(self.config.validation_rows, len(rows)), replace=False)
        if kind == "counterfactual" and self.said.single(rows.episodes[picked]):
            return
        for i in range(0, len(picked), 64):
            chosen = picked[i : i + 64]
            frames, episodes = rows.frames[chosen], rows.episodes[chosen]
            names = [self.said.named(e, rng, float(kind == "counterfactual")) for e in episodes]
            batch = self._batch(rows, chosen, self.said.asked(frames, episodes, names, float(kind == "asked"), rng))
            yield self._shuffled(batch) if kind == "shuffled" else batch

    def _shuffled(self, batch: Batch) -> Batch:
        """Every row with the sentence of another; only the loss on actions means anything then."""
        sentences = batch["instructions"]
        moved = batch | {"instructions": sentences[1:] + sentences[:1]}
        return moved | {
            k: torch.zeros_like(moved[k]) for k in ("slot_known", "slot_mapped", "slot_inside", "slot_turned")
        }

    def _batch(
        self, rows: Rows, chosen: NDArray[np.int64], names: list[Naming], seen: SeenFrames | None = None
    ) -> Batch:
        frames = observed_frames(self.cache, rows, chosen, self.window)
        actions, valid = chunk(self.cache, rows, chosen, self.window)
        firsts = [self.said.meant(e) for e in rows.episodes[chosen]]
        meant = np.array([n.answer < 0 and n.things == first.things for n, first in zip(names, firsts, strict=True)])
        batch = self.transforms.apply(
            {
                **observe(self.cache, frames, self.window if seen is None else replace(self.window, cameras=())),
                "instructions": [n.instruction for n in names],
                "actions": actions,
                "action_valid": valid & (meant & rows.imitated[chosen])[:, None],
            }
        )
        answers = np.array([n.answer for n in names], np.int64)
        if seen is not None:
            return to_tensors(batch) | seen.at(frames)
        return to_tensors(batch | {"answer": answers} | self._supervision(rows, chosen, names))

    def _supervision(self, rows: Rows, chosen: NDArray[np.int64], names: list[Naming]) -> Batch:
        """Where the named things are in every view of the newest frame, and whether the hand is far from the target."""
        things = np.array([(n.target, n.reference) for n in names], dtype=np.int64)
        cache, now = self.cache, rows.frames[chosen]
        poses = cache.frames["object_poses"][now] if "object_poses" in cache.frames else None
        found = slots(things, poses, self._matrices(now), self._sizes(), self.symmetry[rows.episodes[chosen]])
        at = hand(cache, now)
        gap = np.zeros(len(now)) if at is None else np.linalg.norm(found["slot_positions_m"][:, 0] - at, axis=-1)
        return {**found, "far": found["slot_known"][:, 0] & (gap > FAR_M)}

    def _matrices(self, frames: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """[B, cameras, 3, 4] of frames [B], or None where cameras are not calibrated."""
        if "camera_matrices" not in self.cache.frames:
            return None
        offered = self.cache.observation_spec.camera_names
        matrices = self.cache.frames["camera_matrices"][frames]
        return np.asarray(matrices[:, [offered.index(c) for c in self.window.cameras]])

    def _sizes(self) -> NDArray[np.int64]:
        """(width, height) of every view, before transforms."""
        shapes = [self.cache.images[c].shape for c in self.window.cameras]
        return np.array([(s[2], s[1]) for s in shapes])


def _or_none(cache: FrameCache, episodes: list[int], config: CloningConfig) -> Rows | None:
    if not any(cache.episodes[e].success is not False for e in episodes):
        return None
    return rows_of(cache, episodes, (), 1.0, 0.0)
