"""Scenes and edits: everything needed to start a trial, as values with a content hash."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from reverie.core.errors import unknown_name
from reverie.core.seeding import content_hash


@dataclass(frozen=True)
class Edit:
    """One coded change of a scene along one axis (`axis`, `severity` in [0, 1], `parameters`)."""

    axis: str
    severity: float
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its axis and a hash of its values."""
        return f"{self.axis}-{content_hash(asdict(self))[:6]}"


@dataclass(frozen=True)
class ObjectPlacement:
    """One object or container on the table: `kind` and `color` are names of the asset tables, position in metres."""

    name: str
    kind: str
    color: str
    x: float
    y: float
    yaw_rad: float
    container: bool = False

    @property
    def label(self) -> str:
        """How people name it, e.g. "red brick"."""
        return f"{self.color} {self.kind}"


@dataclass(frozen=True)
class Distractor:
    """A thing that no task is about, of a kind of `scenes.surroundings.PLUSHIES`; position and width in metres."""

    kind: str
    x: float
    y: float
    yaw_rad: float
    size_m: float


@dataclass(frozen=True)
class Goal:
    """One thing that is asked: `target` in the `relation` to `reference` ("" where it needs none)."""

    target: str
    reference: str = ""
    relation: str = ""


@dataclass(frozen=True)
class Scene:
    """Everything needed to start: task, instruction, objects, looks, robot start.

    `id` is unique and stable ("put/test/17"). `target` and `reference` name placements: the object to move and where it
    goes. `then` holds what is asked after that, in order. `limit_steps` is the length of its episodes, in control steps,
    where it is not the run's. `robot_start` is added to the embodiment's home: x y z in metres, roll pitch yaw in radians.
    `look` holds appearance values: table, light, cameras that were moved, sensor noise (names and units in
    `reverie.edits.axes`). `hidden` holds what no image shows, as factors: mass, friction. `edits` say how the scene came
    about; its values are as edited already. `recorded` names the episode of a data set whose first observation is the start,
    for worlds that begin from a recorded frame; such a scene may have no objects.
    """

    id: str
    task: str
    instruction: str
    objects: tuple[ObjectPlacement, ...] = ()
    target: str = ""
    reference: str = ""
    relation: str = ""
    robot_start: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    look: Mapping[str, Any] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()
    recorded: str | None = None
    distractors: tuple[Distractor, ...] = ()
    hidden: Mapping[str, float] = field(default_factory=dict)
    then: tuple[Goal, ...] = ()
    limit_steps: int | None = None

    @property
    def goals(self) -> tuple[Goal, ...]:
        """All that is asked, in order."""
        return (Goal(self.target, self.reference, self.relation), *self.then)

    def n_steps(self, default: int) -> int:
        """Control steps of its episodes: its own limit, or else `default`."""
        return self.limit_steps or default

    @property
    def hash(self) -> str:
        """A hash of all values but the id: equal scenes under two names are found."""
        return content_hash({k: v for k, v in self.to_dict().items() if k != "id"})

    def placement(self, name: str) -> ObjectPlacement:
        """The object or container of that name. Errors: ReverieError for none."""
        found = next((o for o in self.objects if o.name == name), None)
        if found is None:
            raise unknown_name(f"thing of scene {self.id!r}", name, [o.name for o in self.objects])
        return found

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, ready for JSON; those of `_LATER` only where they say something, so that hashes stay."""
        return {k: v for k, v in asdict(self).items() if v or k not in _LATER}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "Scene":
        """What `to_dict` gave, or JSON made of it."""
        return cls(
            **{
                **value,
                "objects": tuple(ObjectPlacement(**o) for o in value.get("objects", ())),
                "edits": tuple(Edit(**e) for e in value.get("edits", ())),
                "distractors": tuple(Distractor(**d) for d in value.get("distractors", ())),
                "then": tuple(Goal(**g) for g in value.get("then", ())),
                "robot_start": tuple(value.get("robot_start", (0.0,) * 6)),
            }
        )


_LATER = ("distractors", "hidden", "then", "limit_steps")
"""Fields that scenes did not have when the first of them were hashed."""
