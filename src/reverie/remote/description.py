"""Description: what a policy server wants to be sent and what its numbers mean, in a person's words (YAML) or its own.

    name: pi0                                   # in trial keys
    frame_every: 2                              # the world shows a new frame every 2 control steps
    send:
      observation/image: {camera: front, shown: [64, 64], sent: [224, 224]}   # fit: pad or stretch; layout: hwc or chw; channels: rgb or bgr
      observation/state:                        # one vector, piece by piece; part: commanded or measured
        - {part: commanded, names: [x, y, z]}
        - {part: commanded, names: [qw, qx, qy, qz], rotation: rotvec}
        - {part: commanded, names: [opening], flip: true}                     # 1 - value; negate: true is - value
      prompt: instruction
    answer:
      actions:                                  # under which key; the ActionSpec of what the server says
        names: [x, y, z, rx, ry, rz, grip]
        ...
      columns: {dx: x, dy: y, dz: z, ...}       # ours: theirs; without it all of them, as they are
      negate: [dy]                              # names are ours from here on
      flip: [gripper]                           # 1 - value: turns the sign of the gripper round
      scale: {dx: [0.05, m]}                    # times that, and then in that unit
      control_hz: 10                            # the world's, a whole multiple or part of the server's
    n_action_steps: 5                           # executed before the server is asked again
    timeout_s: 30

Nothing is guessed: what the file does not say is not done, and what then differs from the world is refused.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from reverie.core import ActionSpec, CameraSpec, ObservationSpec, ReverieError, unknown_name

Fit = Literal["pad", "stretch"]
Layout = Literal["hwc", "chw"]
Channels = Literal["rgb", "bgr"]
Part = Literal["commanded", "measured"]
INSTRUCTION, SEED = "instruction", "seed"


@dataclass(frozen=True)
class SentImage:
    """A camera's picture, `shown` (height, width) by the world. pad keeps the aspect ratio, the rest is black."""

    camera: str
    shown: tuple[int, int]
    sent: tuple[int, int]
    fit: Fit = "pad"
    layout: Layout = "hwc"
    channels: Channels = "rgb"

    def __post_init__(self) -> None:
        for name, words in (("fit", Fit), ("layout", Layout), ("channels", Channels)):
            _check_word(name, getattr(self, name), words)
        for name in ("shown", "sent"):
            value = getattr(self, name)
            if len(value) != 2 or not all(isinstance(n, int) and n > 0 for n in value):
                raise ReverieError(f"{name} is {value!r}, expected [height, width]")


@dataclass(frozen=True)
class SentPiece:
    """Numbers of the state, by name. rotation: four of them are a quaternion wxyz, to be sent as that."""

    part: Part
    names: tuple[str, ...]
    rotation: Literal["none", "rotvec", "rpy"] = "none"
    negate: bool = False
    flip: bool = False

    def __post_init__(self) -> None:
        _check_word("part", self.part, Part)
        _check_word("rotation", self.rotation, Literal["none", "rotvec", "rpy"])
        if self.rotation != "none" and len(self.names) != 4:
            raise ReverieError(f"rotation is {self.rotation!r} of {list(self.names)}, expected the four names of a quaternion wxyz")  # fmt: skip


Sent = SentImage | tuple[SentPiece, ...] | str
"""A picture, a vector, or the word `instruction` (or `seed`: a whole number for the policy's noise)."""


@dataclass(frozen=True)
class Answer:
    """theirs: the spec of what the server says under `key`. columns: (ours, theirs) in our order."""

    key: str
    theirs: ActionSpec
    columns: tuple[tuple[str, str], ...]
    negate: tuple[str, ...] = ()
    flip: tuple[str, ...] = ()
    scale: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    control_hz: float | None = None

    def __post_init__(self) -> None:
        for ours, name in self.columns:
            if name not in self.theirs.names:
                raise unknown_name(f"column for {ours!r}:", name, list(self.theirs.names))
        known = [ours for ours, _ in self.columns]
        for entry in ("negate", "flip", "scale"):
            for name in getattr(self, entry):
                if name not in known:
                    raise unknown_name(f"name in {entry}:", name, known)
        if self.flip and self.theirs.gripper == "none":
            raise ReverieError(f"flip is {list(self.flip)}, but gripper is 'none': say which end of the opening is 0")
        server, world = self.theirs.control_hz, self.control_hz or self.theirs.control_hz
        ratio = max(server / world, world / server)
        if not math.isclose(ratio, round(ratio), rel_tol=1e-6):
            raise ReverieError(f"control_hz is {world:g} and the server's {server:g}: expected one to be a whole multiple of the other")  # fmt: skip


@dataclass(frozen=True)
class Description:
    """See the head of this file. `send`: key of the request -> what it holds."""

    send: Mapping[str, Sent]
    answer: Answer
    n_action_steps: int
    name: str = ""
    frame_every: int = 1
    n_obs_steps: int = 1
    obs_stride: int = 1
    timeout_s: float = 60.0

    @property
    def observation_spec(self) -> ObservationSpec:
        """What the world must show."""
        images = {s.camera: s for s in self.send.values() if isinstance(s, SentImage)}
        pieces = [p for s in self.send.values() if isinstance(s, tuple) for p in s]
        named = {part: tuple(dict.fromkeys(n for p in pieces if p.part == part for n in p.names)) for part in get_args(Part)}  # fmt: skip
        return ObservationSpec(
            cameras=tuple(CameraSpec(s.camera, *s.shown) for s in images.values()),
            commanded=named["commanded"],
            measured=named["measured"],
            frame_every=self.frame_every,
            n_obs_steps=self.n_obs_steps,
            obs_stride=self.obs_stride,
        )

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON: what goes into the receipt."""
        return asdict(self)


def _check_word(what: str, found: object, words: Any) -> None:
    if found not in get_args(words):
        raise ReverieError(f"{what} is {found!r}, expected one of {', '.join(map(repr, get_args(words)))}")
