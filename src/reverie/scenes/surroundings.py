"""What a scene may be surrounded by that no training scene shows: cloths over the table, other light, plushies. Tables, by name.

Nothing here is named by a training instruction or drawn by `scenes.tasks`; `reverie.edits` puts it there.
"""

from dataclasses import dataclass

from reverie.scenes.assets import Geom

RGB = tuple[float, float, float]

CLOTHS: dict[str, RGB] = {
    "red_cloth": (0.52, 0.2, 0.2),
    "green_cloth": (0.22, 0.42, 0.26),
    "blue_cloth": (0.22, 0.3, 0.55),
}
"""Over the whole table. Duller than the colours of things, so that none of them disappears."""


@dataclass(frozen=True)
class Light:
    """Factors on what the lamps give, per colour channel, and the direction in which the table's lamp shines (None: as ever)."""

    factor: RGB
    direction: RGB | None = None


LIGHTS: dict[str, Light] = {
    "dim": Light((0.6, 0.6, 0.6)),
    "dark": Light((0.35, 0.35, 0.35)),
    "warm": Light((1.0, 0.82, 0.6)),
    "from_behind": Light((1.0, 1.0, 1.0), (0.75, -0.45, -0.5)),
}


@dataclass(frozen=True)
class Plushie:
    """Parts with their colours, in a frame on the table with z up; lengths are in widths of the whole."""

    parts: tuple[tuple[Geom, RGB], ...]
    height: float


def _ball(x: float, y: float, z: float, *radii: float) -> Geom:
    return Geom("ellipsoid", radii if len(radii) == 3 else radii * 3, (x, y, z))


_BLACK, _BEAK = (0.08, 0.08, 0.08), (0.9, 0.55, 0.25)
_TEAL, _CREAM, _OLIVE, _SHELL = (0.1, 0.5, 0.48), (0.93, 0.88, 0.7), (0.45, 0.48, 0.2), (0.35, 0.27, 0.15)
_FUR, _SNOUT, _ROSE = (0.5, 0.34, 0.2), (0.78, 0.62, 0.45), (0.85, 0.6, 0.65)
_FEET = ((0.3, 0.22), (0.3, -0.22), (-0.3, 0.22), (-0.3, -0.22))

PLUSHIES: dict[str, Plushie] = {
    "octopus": Plushie(
        (
            (_ball(0, 0, 0.52, 0.3, 0.3, 0.32), _TEAL),
            *((_ball(0.32 * x, 0.32 * y, 0.12, 0.18, 0.18, 0.12), _TEAL) for x, y in ((1, 0), (0.5, 0.87), (-0.5, 0.87), (-1, 0), (-0.5, -0.87), (0.5, -0.87))),
            (_ball(0.26, 0.1, 0.6, 0.06), _CREAM),
            (_ball(0.26, -0.1, 0.6, 0.06), _CREAM),
        ),
        0.84,
    ),
    "duck": Plushie(
        (
            (_ball(-0.05, 0, 0.27, 0.45, 0.3, 0.27), _CREAM),
            (_ball(0.24, 0, 0.62, 0.2), _CREAM),
            (_ball(0.45, 0, 0.58, 0.1, 0.08, 0.04), _BEAK),
            (_ball(0.38, 0.1, 0.7, 0.04), _BLACK),
            (_ball(0.38, -0.1, 0.7, 0.04), _BLACK),
        ),
        0.82,
    ),
    "turtle": Plushie(
        (
            (_ball(0, 0, 0.26, 0.36, 0.34, 0.24), _SHELL),
            (_ball(0.4, 0, 0.24, 0.12), _OLIVE),
            *((_ball(x, y * 1.4, 0.1, 0.14, 0.12, 0.1), _OLIVE) for x, y in _FEET),
        ),
        0.5,
    ),
    "bear": Plushie(
        (
            (_ball(0, 0, 0.35, 0.28, 0.3, 0.35), _FUR),
            (_ball(0.05, 0, 0.82, 0.24), _FUR),
            (_ball(0.27, 0, 0.78, 0.1), _SNOUT),
            (_ball(0, 0.2, 1.0, 0.09), _FUR),
            (_ball(0, -0.2, 1.0, 0.09), _FUR),
            *((_ball(x * 0.9, y * 1.4, 0.14, 0.14, 0.13, 0.13), _FUR) for x, y in _FEET),
        ),
        1.09,
    ),
    "rabbit": Plushie(
        (
            (_ball(0, 0, 0.3, 0.34, 0.28, 0.3), _ROSE),
            (_ball(0.16, 0, 0.72, 0.2), _ROSE),
            (_ball(0.1, 0.1, 1.02, 0.06, 0.07, 0.22), _ROSE),
            (_ball(0.1, -0.1, 1.02, 0.06, 0.07, 0.22), _ROSE),
            (_ball(-0.36, 0, 0.3, 0.12), _CREAM),
        ),
        1.24,
    ),
}  # fmt: skip
"""Five soft toys. They stand on a round foot as wide as they are, and may be pushed."""
