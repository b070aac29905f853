"""What is said with a frame: the instruction of its episode, another one that fits its scene, the same in other words, or a
question. Draws depend on the seed and the step alone."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from reverie.core import generator
from reverie.data.cache import FrameCache
from reverie.training.naming import Naming, names_in, rephrasings
from reverie.training.questions import ask


class Sayings:
    """spell: from words to what a text encoder gets. Shares of rows: counterfactual, name other things of the scene;
    questions, ask about it; paraphrase, say it by another training template."""

    def __init__(
        self,
        cache: FrameCache,
        spell: Callable[[str], str],
        seed: int,
        counterfactual: float,
        questions: float,
        paraphrase: float,
    ) -> None:
        self.cache, self.spell, self.seed = cache, spell, seed
        self.counterfactual, self.questions, self.paraphrase = counterfactual, questions, paraphrase
        self._names = [names_in(e.scene, spell(e.instruction)) for e in cache.episodes]

    def meant(self, episode: int) -> Naming:
        return self._names[episode][0]

    def single(self, episodes: NDArray[np.int64]) -> bool:
        """Whether nothing else can be named in these episodes."""
        return all(len(self._names[e]) == 1 for e in episodes)

    def every(self, episodes: Iterable[int]) -> list[str]:
        """Every sentence that may be drawn for these episodes, for a text encoder to prepare."""
        named = {e: self._names[e] if self.counterfactual else self._names[e][:1] for e in episodes}
        said = {n.instruction for names in named.values() for n in names}
        if self.paraphrase:
            said |= {s for e, names in named.items() for n in names for s in self._rephrasings(e, n)}
        return sorted(said)

    def draw(self, frames: NDArray[np.int64], episodes: NDArray[np.int64], step: int, meant: bool) -> list[Naming]:
        """One for each row of a training batch. meant: of what each episode was told to do, only the words vary."""
        rng = generator("naming", self.seed, step)
        if meant:
            return self._rephrased(episodes, [self.meant(e) for e in episodes], step)
        names = self._rephrased(episodes, [self.named(e, rng, self.counterfactual) for e in episodes], step)
        return self.asked(frames, episodes, names, self.questions, rng)

    def named(self, episode: int, rng: np.random.Generator, share: float) -> Naming:
        """What was meant, or with probability `share` another naming that fits the scene."""
        names = self._names[episode]
        draw, which = rng.random(), int(rng.integers(1 << 30))
        return names[1 + which % (len(names) - 1)] if draw < share and len(names) > 1 else names[0]

    def asked(
        self,
        frames: NDArray[np.int64],
        episodes: NDArray[np.int64],
        names: list[Naming],
        share: float,
        rng: np.random.Generator,
    ) -> list[Naming]:
        """With probability `share`, a question about what the frame shows in place of a naming."""
        if not share:
            return names
        poses = self.cache.frames["object_poses"][frames]
        scenes = [self.cache.episodes[e].scene for e in episodes]
        found = []
        for name, scene, at in zip(names, scenes, poses, strict=True):
            draw, own = rng.random(), np.random.default_rng(int(rng.integers(1 << 30)))
            found.append(ask(scene, at, own) if draw < share and scene is not None and scene.objects else name)
        return found

    def _rephrased(self, episodes: NDArray[np.int64], names: Sequence[Naming], step: int) -> list[Naming]:
        """Some of the sentences in other words; as many numbers are drawn whatever becomes of them."""
        if not self.paraphrase:
            return list(names)
        lots = generator("paraphrase", self.seed, step).random((len(names), 2))
        said = []
        for e, name, (lot, which) in zip(episodes, names, lots, strict=True):
            options = self._rephrasings(e, name) if lot < self.paraphrase else []
            said.append(replace(name, instruction=options[int(which * len(options))]) if options else name)
        return said

    def _rephrasings(self, episode: int, name: Naming) -> list[str]:
        return [self.spell(s) for s in rephrasings(self.cache.episodes[episode].scene, name)]
