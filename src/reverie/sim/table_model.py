"""A scene as a MuJoCo model: the arm, the table, and the scene's things as free bodies.

Body origins lie at an object's centre and on the underside of a container or a hinged thing. Nothing here knows tasks or time.
"""

import mujoco
import numpy as np

from reverie.core.errors import unknown_name
from reverie.core.scene import ObjectPlacement, Scene
from reverie.embodiments import panda, panda_model
from reverie.scenes.assets import ALL_COLORS, ALL_OBJECTS, CONTAINERS, HINGED, TABLE_COLORS, Geom
from reverie.scenes.surroundings import CLOTHS
from reverie.sim.surroundings import distractor_body, surround

PHYSICS_DT = 0.002
_DARK = "0.1 0.11 0.13 1"
SOURCES = ("reverie.sim", "reverie.scenes", "reverie.embodiments", "reverie.core.rotations")
"""The code that decides what happens on the table, for fingerprints."""


def build(scene: Scene) -> mujoco.MjModel:
    """Compile the model of one scene (about 5 ms)."""
    return surround(mujoco.MjModel.from_xml_string(mjcf(scene)), scene)


def mjcf(scene: Scene) -> str:
    """The model as text; of kinds that the scene does not show it says nothing. Light and hidden factors are set after it
    was compiled."""
    table = _rgba(_table_color(str(scene.look.get("table", "grey"))))
    things = "".join(_body(o) for o in scene.objects)
    things += "".join(distractor_body(i, d) for i, d in enumerate(scene.distractors))
    return f"""
<mujoco model="tabletop">
  <compiler angle="degree" autolimits="true"/>
  <option timestep="{PHYSICS_DT}" integrator="implicitfast" cone="elliptic" impratio="5" iterations="20" ls_iterations="20"/>
  {panda_model.VISUAL}
  <statistic extent="1" center="0.4 0 0.2"/>
  <default>{panda_model.DEFAULTS}
    <default class="thing"><geom contype="1" conaffinity="3" condim="4" friction="0.9 0.01 0.0002" solref="0.008 1"/></default>
  </default>
  <worldbody>
    {panda_model.LIGHT}
    {panda_model.fixed_cameras(panda.cameras_of(scene.look))}
    <geom name="table" type="box" size="0.6 0.6 0.02" pos="0.4 0 -0.02" rgba="{table}" contype="1" conaffinity="3" friction="0.9 0.01 0.0002"/>
    <geom name="floor" type="box" size="3 3 0.02" pos="0 0 -0.75" rgba="0.36 0.38 0.42 1" contype="0" conaffinity="0"/>
    {panda_model.robot_body()}{things}
  </worldbody>
  <actuator>{panda_model.ACTUATORS}</actuator>
</mujoco>"""


def _table_color(name: str) -> tuple[float, float, float]:
    known = TABLE_COLORS | CLOTHS
    if name not in known:
        raise unknown_name("table", name, list(known))
    return known[name]


def _rgba(color: tuple[float, float, float]) -> str:
    return " ".join(f"{c:g}" for c in (*color, 1.0))


def centre_height(placement: ObjectPlacement) -> float:
    """Height of the body's origin when it stands on the table."""
    return 0.0 if placement.container or placement.kind in HINGED else ALL_OBJECTS[placement.kind].height_m / 2


def _body(placement: ObjectPlacement) -> str:
    if placement.kind in HINGED:
        return _hinged(placement)
    table = CONTAINERS if placement.container else ALL_OBJECTS
    if placement.kind not in table:
        raise unknown_name("container kind" if placement.container else "object kind", placement.kind, list(table))
    kind = table[placement.kind]
    lift = centre_height(placement)
    roll = 0.0002 if placement.container else ALL_OBJECTS[placement.kind].roll_friction
    geoms = "".join(_geom(g, lift, kind.density, _color(placement), roll) for g in kind.geoms)
    return _standing(placement, lift, geoms)


def _color(placement: ObjectPlacement) -> str:
    if placement.color not in ALL_COLORS:
        raise unknown_name("colour", placement.color, list(ALL_COLORS))
    return _rgba(ALL_COLORS[placement.color])


def _standing(placement: ObjectPlacement, lift: float, inside: str) -> str:
    half = placement.yaw_rad / 2
    quat = f"{np.cos(half):.9g} 0 0 {np.sin(half):.9g}"
    return (
        f'<body name="{placement.name}" pos="{placement.x} {placement.y} {lift + 0.0005}" quat="{quat}">'
        f"<freejoint/>{inside}</body>"
    )


def _hinged(placement: ObjectPlacement) -> str:
    """A base with a lid, open; the lid's joint is named `<name>_lid`. Without weight, since MuJoCo's dry friction creeps."""
    kind, color = HINGED[placement.kind], _color(placement)
    x, z = kind.hinge
    base, lid = (
        "".join(_geom(g, height, kind.density, _DARK if g.dark else color, 0.0, along) for g in part)
        for part, height, along in ((kind.base, 0.0, 0.0), (kind.lid, z, x))
    )
    joint = (
        f'<joint name="{lid_joint(placement.name)}" axis="0 1 0" range="0 {np.degrees(kind.limit_rad):.6g}" '
        f'frictionloss="{kind.friction_nm}" damping="0.002" armature="0.0001"/>'
    )
    turning = f'<body name="{lid_joint(placement.name)}" pos="{x} 0 {z}" gravcomp="1">{joint}{lid}</body>'
    return _standing(placement, 0.0, base + turning)


def lid_joint(name: str) -> str:
    """The name of a hinged thing's joint, and of the body that turns about it."""
    return f"{name}_lid"


def _geom(geom: Geom, lift: float, density: float, rgba: str, roll: float, along: float = 0.0) -> str:
    """`lift` and `along`: z and x of the body's origin in the shape's own frame."""
    x, y, z = geom.pos
    x -= along
    size = " ".join(f"{s:.6g}" for s in geom.size)
    rolling = f'condim="6" friction="0.9 0.01 {roll}"' if roll > 0.001 else ""
    return (
        f'<geom class="thing" type="{geom.type}" size="{size}" pos="{x:.6g} {y:.6g} {z - lift:.6g}" '
        f'euler="0 0 {geom.yaw_deg:.6g}" density="{density}" rgba="{rgba}" {rolling}/>'
    )
