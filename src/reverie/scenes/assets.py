"""The things of the tabletop benchmark: shapes, sizes and colours, by name. Lengths in metres, half sizes as in MJCF.

A shape lists MJCF geoms (type, size, position, yaw in degrees) in its own frame, which lies on the table at z = 0 with
z up. The gripper closes along the shape's own y axis at `grasp`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Geom:
    """A MJCF geom; `size` is in half lengths, `pos` in the shape's own frame. `dark`: not in the colour of its thing."""

    type: str
    size: tuple[float, ...]
    pos: tuple[float, float, float]
    yaw_deg: float = 0.0
    dark: bool = False


@dataclass(frozen=True)
class ObjectKind:
    """`radius_m` bounds the footprint. `yaw_period_rad`: a turn by it looks and grasps the same (0: any turn does)."""

    geoms: tuple[Geom, ...]
    radius_m: float
    height_m: float
    grasp: tuple[float, float, float]
    yaw_period_rad: float
    density: float = 500.0
    roll_friction: float = 0.0002


@dataclass(frozen=True)
class ContainerKind:
    """`inner_m`: an object whose centre is within this distance (per axis if two) of the middle is inside. `preposition`
    is the word of its instruction. `floor_m` is the height of the surface that carries things."""

    geoms: tuple[Geom, ...]
    radius_m: float
    inner_m: tuple[float, float]
    round: bool
    floor_m: float
    rim_m: float
    preposition: str
    density: float = 700.0


@dataclass(frozen=True)
class HingedKind:
    """A base, and a lid that turns about the y axis at `hinge` (x, z), stays where it is left and lies on the base at 0 rad.
    Geoms of the lid are in the frame of the shut one. `lid_m`: from the hinge to the lid's edge, which points to -x."""

    base: tuple[Geom, ...]
    lid: tuple[Geom, ...]
    hinge: tuple[float, float]
    lid_m: float
    open_rad: float
    limit_rad: float
    radius_m: float
    friction_nm: float
    density: float = 500.0


PI = 3.141592653589793
OBJECTS: dict[str, ObjectKind] = {
    "cube": ObjectKind((Geom("box", (0.02, 0.02, 0.02), (0, 0, 0.02)),), 0.029, 0.04, (0, 0, 0.02), PI / 2),
    "brick": ObjectKind((Geom("box", (0.034, 0.017, 0.0175), (0, 0, 0.0175)),), 0.038, 0.035, (0, 0, 0.018), PI),
    "bar": ObjectKind((Geom("box", (0.048, 0.0125, 0.0125), (0, 0, 0.0125)),), 0.05, 0.025, (0, 0, 0.013), PI),
    "can": ObjectKind((Geom("cylinder", (0.019, 0.028), (0, 0, 0.028)),), 0.019, 0.056, (0, 0, 0.034), 0.0),
    "ball": ObjectKind((Geom("sphere", (0.022,), (0, 0, 0.022)),), 0.022, 0.044, (0, 0, 0.022), 0.0, 400.0, 0.003),
    "egg": ObjectKind(
        (Geom("ellipsoid", (0.034, 0.021, 0.021), (0, 0, 0.021)),), 0.034, 0.042, (0, 0, 0.021), PI, 400.0, 0.003
    ),
    "corner": ObjectKind(
        (
            Geom("box", (0.028, 0.011, 0.014), (0, -0.018, 0.014)),
            Geom("box", (0.011, 0.018, 0.014), (-0.017, 0.011, 0.014)),
        ),
        0.042,
        0.028,
        (0.006, -0.018, 0.015),
        2 * PI,
    ),
    "bottle": ObjectKind(
        (
            Geom("cylinder", (0.02, 0.02), (0, 0, 0.02)),
            Geom("cylinder", (0.01, 0.018), (0, 0, 0.058)),
        ),
        0.02,
        0.076,
        (0, 0, 0.026),
        0.0,
        350.0,
    ),
}


_OFF_GROUND_M = 0.002


def _ring(sides: int, radius: float, wall: float, height: float) -> tuple[Geom, ...]:
    """Upright boxes around a circle of inner `radius`, off the ground: only the floor plate touches the table."""
    from math import cos, pi, sin, tan

    half = (radius + wall) * tan(pi / sides)
    angles = [2 * pi * i / sides for i in range(sides)]
    reach = radius + wall / 2
    return tuple(
        Geom(
            "box",
            (wall / 2, half, height / 2),
            (reach * cos(a), reach * sin(a), height / 2 + _OFF_GROUND_M),
            a * 180 / pi,
        )
        for a in angles
    )


def _frame(x: float, y: float, wall: float, height: float) -> tuple[Geom, ...]:
    """Four upright boxes around a rectangle of inner half sizes x, y, off the ground."""
    h = height / 2
    return (
        *(Geom("box", (wall / 2, y + wall, h), (s * (x + wall / 2), 0, h + _OFF_GROUND_M)) for s in (1, -1)),
        *(Geom("box", (x, wall / 2, h), (0, s * (y + wall / 2), h + _OFF_GROUND_M)) for s in (1, -1)),
    )


CONTAINERS: dict[str, ContainerKind] = {
    "bowl": ContainerKind(
        (Geom("cylinder", (0.06, 0.003), (0, 0, 0.003)), *_ring(8, 0.058, 0.006, 0.033)),
        0.069, (0.058, 0.058), True, 0.006, 0.035, "in",
    ),
    "box": ContainerKind(
        (Geom("box", (0.062, 0.062, 0.003), (0, 0, 0.003)), *_frame(0.058, 0.058, 0.006, 0.043)),
        0.088, (0.058, 0.058), False, 0.006, 0.045, "in",
    ),
    "tray": ContainerKind(
        (Geom("box", (0.079, 0.054, 0.003), (0, 0, 0.003)), *_frame(0.075, 0.05, 0.006, 0.013)),
        0.093, (0.075, 0.05), False, 0.006, 0.015, "on",
    ),
    "plate": ContainerKind((Geom("cylinder", (0.066, 0.005), (0, 0, 0.005)),), 0.066, (0.062, 0.062), True, 0.01, 0.01, "on"),
}  # fmt: skip


HINGED: dict[str, HingedKind] = {
    "laptop": HingedKind(
        (Geom("box", (0.05, 0.07, 0.006), (0, 0, 0.006)), Geom("box", (0.03, 0.06, 0.001), (0.008, 0, 0.0125), dark=True)),
        (Geom("box", (0.05, 0.07, 0.003), (0, 0, 0.018)), Geom("box", (0.044, 0.063, 0.001), (0, 0, 0.0145), dark=True)),
        (0.05, 0.0145), 0.1, 1.75, 2.1, 0.09, 0.025,
    ),
}  # fmt: skip


def radius_of(kind: str) -> float:
    """Bound of the footprint of any kind, m."""
    if kind in HINGED:
        return HINGED[kind].radius_m
    return ALL_OBJECTS[kind].radius_m if kind in ALL_OBJECTS else CONTAINERS[kind].radius_m


COLORS: dict[str, tuple[float, float, float]] = {
    "red": (0.82, 0.12, 0.12),
    "green": (0.13, 0.6, 0.2),
    "blue": (0.13, 0.25, 0.8),
    "yellow": (0.93, 0.83, 0.12),
    "orange": (0.95, 0.5, 0.08),
    "purple": (0.5, 0.16, 0.62),
    "cyan": (0.15, 0.75, 0.8),
}
BASES = ("cube", "brick", "bar", "can")
"""Objects with a flat top that carries others, and those that stand on it: `STACKED`."""
STACKED = ("cube", "brick", "bar", "can", "bottle")
UNSEEN_OBJECTS: dict[str, ObjectKind] = {
    "cross": ObjectKind(
        (Geom("box", (0.036, 0.011, 0.013), (0, 0, 0.013)), Geom("box", (0.011, 0.036, 0.013), (0, 0, 0.013))),
        0.038, 0.026, (0.025, 0, 0.014), 2 * PI,  # it looks alike after a quarter turn, but is grasped at one of its arms
    ),
    "pyramid": ObjectKind(
        tuple(Geom("box", (0.028 - 0.007 * i, 0.028 - 0.007 * i, 0.0065), (0, 0, 0.0065 + 0.012 * i)) for i in range(4)),
        0.04, 0.048, (0, 0, 0.018), PI / 2,
    ),
    "mushroom": ObjectKind(
        (Geom("cylinder", (0.011, 0.018), (0, 0, 0.018)), Geom("ellipsoid", (0.028, 0.028, 0.015), (0, 0, 0.042))),
        0.028, 0.057, (0, 0, 0.02), 0.0, 350.0,
    ),
    "hammer": ObjectKind(
        (Geom("box", (0.04, 0.008, 0.008), (-0.01, 0, 0.008)), Geom("box", (0.011, 0.026, 0.012), (0.036, 0, 0.012))),
        0.052, 0.024, (-0.005, 0, 0.01), 2 * PI,
    ),
    "ring": ObjectKind(_ring(8, 0.02, 0.01, 0.022), 0.033, 0.024, (0, 0, 0.013), 0.0),
}  # fmt: skip
"""Shapes that no training scene shows, for tests of what a policy or a backbone makes of new words and new things."""
UNSEEN_COLORS: dict[str, tuple[float, float, float]] = {
    "pink": (0.95, 0.45, 0.65),
    "brown": (0.42, 0.26, 0.13),
    "white": (0.95, 0.95, 0.93),
}
ALL_OBJECTS = OBJECTS | UNSEEN_OBJECTS
ALL_COLORS = COLORS | UNSEEN_COLORS
KINDS = (*OBJECTS, *CONTAINERS, *UNSEEN_OBJECTS, *HINGED)
"""Numbers of the kinds, as recorded with every frame: new ones are added at the end."""
TABLE_COLORS: dict[str, tuple[float, float, float]] = {"grey": (0.55, 0.54, 0.52)}
