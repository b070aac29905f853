"""`reverie attend CHECKPOINT EPISODE`: where a policy looks when it is told one thing or another before the same frame.

reverie attend shipped:vla-d data/put#3
reverie attend checkpoints/act data/put#3 --frame 12 --other "put the blue can in the bowl" --out act.html

Writes one page: attention on every camera and on the words, what a grounded backbone sees, and the actions of both.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from reverie.core import Episode, ReverieError
from reverie.data import open_dataset
from reverie.evaluation.attention import difference, look
from reverie.evaluation.loaders import shipped
from reverie.policies import LearnedPolicy, load_policy
from reverie.report.attention import SideBySide, write_attention_page
from reverie.training.naming import names_in


@dataclass(frozen=True)
class Options:
    """Attention maps of a policy for two instructions on the same frame."""

    checkpoint: tyro.conf.Positional[str]
    """The folder of a policy, or shipped:NAME."""
    episode: tyro.conf.Positional[str]
    """DATASET#INDEX: the folder of a data set and the number of an episode in it."""
    frame: int = 0
    """The number of the newest frame that the policy sees."""
    instruction: str | None = None
    """What it is told; the episode's own unless given."""
    other: str | None = None
    """What it is told instead; unless given, the same sentence with another thing of the scene, or the episode's own."""
    out: Path = Path("attend.html")
    """Where the page goes."""


def main(arguments: Sequence[str]) -> int:
    options = tyro.cli(Options, args=list(arguments), prog="reverie attend", description=__doc__)
    policy, (episode, name) = open_network(options.checkpoint), open_episode(options.episode)
    told, why = sentences(episode, options.instruction, options.other)
    for letter, sentence, reason in zip("AB", told, why, strict=True):
        print(f"{letter}: {sentence} ({reason})", file=sys.stderr)
    looks = look(policy, episode, options.frame, told[0]), look(policy, episode, options.frame, told[1])
    print(f"the actions differ by {difference(*looks):.3g} standard deviations", file=sys.stderr)
    seen = {c: episode.observations.images[c][options.frame] for c in policy.observation_spec.camera_names}
    page = SideBySide(policy, name, options.frame, float(episode.observations.time_s[options.frame]), seen, looks, why)
    print(write_attention_page(page, options.out))
    return 0


def open_network(spec: str) -> LearnedPolicy:
    """Errors: ReverieError for no checkpoint, and for a policy without a network."""
    kind, _, rest = spec.partition(":")
    policy = load_policy(shipped(f"policies/{rest}") if kind == "shipped" else spec)
    if not isinstance(policy, LearnedPolicy):
        raise ReverieError(
            f"CHECKPOINT is {spec!r}, a policy without a network; expected the folder of one that was trained"
        )
    return policy


def open_episode(spec: str) -> tuple[Episode, str]:
    """`DATASET#INDEX` -> the episode and how it is called. Errors: ReverieError for anything else."""
    root, _, index = spec.rpartition("#")
    if not root or not index.isdigit():
        raise ReverieError(
            f"EPISODE is {spec!r}, expected DATASET#INDEX, as in data/put#3 (quote the # if your shell needs it)"
        )
    return open_dataset(root).episode(int(index), depth=False), f"{Path(root).resolve().name}#{index}"


def sentences(episode: Episode, instruction: str | None, other: str | None) -> tuple[tuple[str, str], tuple[str, str]]:
    """Both instructions, and for each why it. Errors: ReverieError where no other can be made."""
    first = episode.instruction if instruction is None else instruction
    why = "the episode's own" if instruction is None else "as given"
    if other is not None:
        return (first, other), (why, "as given")
    if first != episode.instruction and episode.instruction:
        return (first, episode.instruction), (why, "the episode's own")
    meant, *others = names_in(episode.scene, first)
    changed = [n for n in others if n.reference == meant.reference] or others
    if not changed:
        raise ReverieError(
            f"--other: nothing else of the scene can be named in {first!r}; say what the policy is told instead"
        )
    assert episode.scene is not None
    things = [episode.scene.objects[n.target].label for n in (meant, changed[0])]
    return (first, changed[0].instruction), (why, f"the same sentence with the {things[1]} in place of the {things[0]}")
