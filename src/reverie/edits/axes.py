"""The axes of generalisation as one literal table: what each changes, how severely, and who sees it.

A code says what is changed against the nominal scene (the scheme of STAR-Gen): V what is seen, S what is said, B the motion
that is needed, and combinations. `docs/axes.md` is this table for readers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from reverie.core import Scene, unknown_name
from reverie.edits import distractors, novel, poses, surroundings, wording

Change = Callable[[Scene, str, np.random.Generator], Scene | None]
"""Scene, level, draws -> the changed scene; None where this scene leaves no room for the change."""
_LETTERS = {"V": "visual", "S": "semantic", "B": "behavioural"}


@dataclass(frozen=True)
class Level:
    """severity in (0, 1], for ordering within an axis only: 0.5 of two axes need not be equally hard."""

    severity: float
    meaning: str


@dataclass(frozen=True)
class Axis:
    """blind: no image shows it, so that a video world cannot be asked. anywhere: worlds other than the tabletop know it too.
    draws_as: the axis with which it shares its draws (itself unless said)."""

    changes: str
    code: str
    change: Change
    levels: Mapping[str, Level]
    blind: bool = False
    anywhere: bool = False
    draws_as: str = ""
    interpreted: str = field(default="physics, before the first frame; the video world starts from that frame")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of visual, semantic, behavioural."""
        return tuple(_LETTERS[letter] for letter in self.code.partition("-")[0])


_MOVED = {
    "near": Level(0.5, "4 degrees about the table and 2 up or down, 3 % nearer or farther"),
    "far": Level(1.0, "10 degrees about the table and 5 up or down, 8 % nearer or farther"),
}
_HIDDEN = "physics only: no image shows it, so that a video world refuses"

AXES: dict[str, Axis] = {
    "background": Axis(
        "a cloth covers the table",
        "V-SC",
        surroundings.cloth,
        {c: Level(1.0, f"{c}, duller than any {c} thing") for c in ("red", "green", "blue")},
    ),
    "distractors_small": Axis(
        "unseen plushies as wide as the target, beside the path of the hand",
        "V-SC",
        distractors.small,
        {"one": Level(0.5, "one"), "three": Level(1.0, "three")},
    ),
    "distractors_large": Axis(
        "unseen plushies three times as wide as the target, beside the path of the hand",
        "V-SC",
        distractors.large,
        {"one": Level(0.5, "one"), "two": Level(1.0, "two")},
    ),
    "novel_object": Axis(
        "the target is a thing that no training scene shows, and the instruction names it",
        "VSB-NOBJ",
        novel.target,
        {
            "color": Level(0.25, "its own shape in one of three unseen colours"),
            "shape": Level(0.75, "one of five unseen shapes in its own colour"),
            "both": Level(1.0, "unseen shape and colour"),
        },
    ),
    "light": Axis(
        "the lamps shine otherwise",
        "V-SC",
        surroundings.light,
        {
            "warm": Level(0.25, "0.82 of the green, 0.6 of the blue"),
            "from_behind": Level(0.5, "from another side, as bright"),
            "dim": Level(0.5, "0.6 as bright"),
            "dark": Level(1.0, "0.35 as bright"),
        },
    ),
    "camera_pose": Axis(
        "front, side and top camera stand elsewhere; the new calibration is known",
        "V-VIEW",
        surroundings.cameras,
        _MOVED,
        interpreted="physics draws from there; the video world draws its pose map with the new calibration",
    ),
    "camera_pose_old": Axis(
        "the same cameras stand at the same other places, and nobody was told: the calibration is the old one",
        "V-VIEW",
        surroundings.cameras_untold,
        _MOVED,
        draws_as="camera_pose",
        interpreted="physics draws from there; the video world draws its pose map with the old calibration",
    ),
    "object_position": Axis(
        "the target stands outside the area in which training scenes are drawn",
        "VB-POSE",
        poses.target_outside,
        {"near": Level(0.5, "1 to 3 cm outside"), "far": Level(1.0, "4 to 7 cm outside")},
    ),
    "robot_start": Axis(
        "the hand starts outside the range of training starts",
        "VB-ROB",
        poses.start_outside,
        {
            "near": Level(0.5, "one of x, y, z, yaw at 1.1 to 1.3 of the end of its range"),
            "far": Level(1.0, "one of x, y, z, yaw at 1.5 to 1.9 of the end of its range"),
        },
    ),
    "language": Axis(
        "the same task in other words",
        "S-LANG",
        wording.reworded,
        {
            "rephrased": Level(0.25, "a template that no training uses"),
            "more_specific": Level(0.25, "with what goes without saying"),
            "less_specific": Level(0.5, "colour or shape left out where the other tells"),
            "misspelt": Level(0.5, "two letters of two words changed places"),
            "german": Level(1.0, "in German"),
            "spanish": Level(1.0, "in Spanish"),
        },
        interpreted="whoever reads the instruction",
    ),
    "sensor_noise": Axis(
        "Gaussian noise on every pixel of every camera, the wrist's too",
        "V-AUG",
        surroundings.noise,
        {
            "weak": Level(0.25, "standard deviation 6 of 255"),
            "medium": Level(0.5, "standard deviation 12 of 255"),
            "strong": Level(1.0, "standard deviation 25 of 255"),
        },
        anywhere=True,
        interpreted="the rollout, on what any world shows: policies and judges see it, the world does not",
    ),
    "mass": Axis(
        "all things weigh more",
        "B-HOBJ",
        poses.hidden("mass", {"heavy": 3.0, "very_heavy": 8.0}),
        {"heavy": Level(0.5, "3 times as much"), "very_heavy": Level(1.0, "8 times as much")},
        blind=True,
        interpreted=_HIDDEN,
    ),
    "friction": Axis(
        "everything is more slippery, fingers included",
        "B-HOBJ",
        poses.hidden("friction", {"slippery": 0.5, "very_slippery": 0.25}),
        {"slippery": Level(0.5, "half the friction"), "very_slippery": Level(1.0, "a quarter of the friction")},
        blind=True,
        interpreted=_HIDDEN,
    ),
}


def axis_named(name: str) -> Axis:
    """Errors: ReverieError for a name that is not in `AXES`, with the nearest."""
    if name not in AXES:
        raise unknown_name("axis", name, list(AXES))
    return AXES[name]
