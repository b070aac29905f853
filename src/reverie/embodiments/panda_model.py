"""The arm as MJCF: published kinematics, primitive geometry, light to render.

Bodies follow the Denavit-Hartenberg frames of `panda_kinematics`; shapes are capsules, cylinders and boxes of about the
real size, but the hand is 14 cm wide instead of 20 (it hides less of a 64 px view). Masses are round numbers of the right order (gravity is compensated, the joints are position controlled).
`<body>` text is all this file gives: `sim` adds a table and things, `drawing` draws the robot alone.
"""

from collections.abc import Sequence
from dataclasses import replace

from reverie.embodiments.cameras import Camera
from reverie.embodiments.panda import CAMERAS, OPENING_M
from reverie.embodiments.panda_kinematics import FLANGE_M, JOINT_HIGH, JOINT_LOW, TCP_M

ROBOT_GEOM_GROUP = 2
HEADLIGHT = "headlight"
_WHITE, _DARK, _PAD = "0.93 0.93 0.95 1", "0.25 0.26 0.3 1", "0.12 0.12 0.14 1"
_FINGER_LENGTH_M = TCP_M - 0.0584 + 0.009

# per link: position and rotation (axis-angle, degrees) in the previous link's frame, then its shapes
_LINKS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "0 0 0.333",
        "1 0 0 0",
        (f'type="capsule" fromto="0 0 -0.18 0 0 -0.02" size="0.062" rgba="{_WHITE}"',),
    ),
    (
        "0 0 0",
        "1 0 0 -90",
        (
            f'type="capsule" fromto="0 0 -0.05 0 0 0.05" size="0.062" rgba="{_WHITE}"',
            f'type="capsule" fromto="0 -0.06 0 0 -0.19 0" size="0.056" rgba="{_WHITE}"',
        ),
    ),
    (
        "0 -0.316 0",
        "1 0 0 90",
        (
            f'type="capsule" fromto="0 0 -0.1 0 0 0" size="0.054" rgba="{_WHITE}"',
            f'type="capsule" fromto="0.0825 -0.04 0 0.0825 0.04 0" size="0.052" rgba="{_DARK}"',
        ),
    ),
    (
        "0.0825 0 0",
        "1 0 0 90",
        (f'type="capsule" fromto="-0.0825 0.04 0 -0.0825 0.18 0" size="0.05" rgba="{_WHITE}"',),
    ),
    (
        "-0.0825 0.384 0",
        "1 0 0 -90",
        (
            f'type="capsule" fromto="0 0.02 -0.19 0 0.04 -0.06" size="0.045" rgba="{_WHITE}"',
            f'type="capsule" fromto="0 0 -0.04 0 0 0.02" size="0.045" rgba="{_WHITE}"',
        ),
    ),
    (
        "0 0 0",
        "1 0 0 90",
        (f'type="capsule" fromto="0 0 -0.02 0.06 0 0" size="0.044" rgba="{_DARK}"',),
    ),
    (
        "0.088 0 0",
        "1 0 0 90",
        (f'type="cylinder" fromto="0 0 0.01 0 0 {FLANGE_M}" size="0.04" rgba="{_WHITE}"',),
    ),
)


def _finger(side: str, sign: int) -> str:
    """A finger whose pad's inner face is at the opening's edge; it slides away from the middle along the hand's y."""
    return f"""
      <body name="{side}_finger" pos="0 0 0.0584">
        <inertial pos="0 0 0.02" mass="0.06" diaginertia="5e-5 5e-5 2e-5"/>
        <joint name="{side}_finger" type="slide" axis="0 {sign} 0" range="0 {OPENING_M / 2}" damping="6" armature="0.3"/>
        <geom class="robot" type="box" size="0.0105 0.007 0.012" pos="0 {sign * 0.009} 0.008" rgba="{_DARK}"/>
        <geom class="pad" type="box" size="0.0095 0.005 {_FINGER_LENGTH_M / 2}" pos="0 {sign * 0.005} {_FINGER_LENGTH_M / 2}" rgba="{_PAD}"/>
      </body>"""


def _camera(camera: Camera) -> str:
    pose = camera.pose_in_mount
    x, y = pose[:3, 0], -pose[:3, 1]  # MuJoCo cameras look along -z with y up
    axes = " ".join(f"{v:.9g}" for v in (*x, *y))
    position = pose[:3, 3]
    pos = " ".join(f"{v:.9g}" for v in position)
    return f'<camera name="{camera.name}" pos="{pos}" xyaxes="{axes}" fovy="{_degrees(camera.fovy_rad):.9g}"/>'


def _degrees(angle_rad: float) -> float:
    return angle_rad * 57.29577951308232


def robot_body() -> str:
    """`<body>` elements of the arm, its hand, fingers and wrist camera."""
    wrist = "".join(_camera(c) for c in CAMERAS if c.mount == "tcp")
    text = f"""
    <body name="hand" pos="0 0 {FLANGE_M}" axisangle="0 0 1 -45">
      <inertial pos="0 0 0.03" mass="0.7" diaginertia="1e-3 1e-3 1e-3"/>
      <geom class="robot" type="box" size="0.026 0.07 0.028" pos="0 0 0.03" rgba="{_WHITE}"/>
      <body name="tcp" pos="0 0 {TCP_M}"><site name="tcp"/>{wrist}</body>{_finger("left", 1)}{_finger("right", -1)}
    </body>"""
    for i in range(6, -1, -1):
        pos, turn, shapes = _LINKS[i]
        geoms = "".join(f'<geom class="robot" {s}/>' for s in shapes)
        text = f"""
  <body name="link{i + 1}" pos="{pos}" axisangle="{turn}" gravcomp="1">
    <inertial pos="0 0 0" mass="{3.0 if i < 4 else 1.2}" diaginertia="0.02 0.02 0.02"/>
    <joint name="joint{i + 1}" axis="0 0 1" range="{_degrees(JOINT_LOW[i]):.9g} {_degrees(JOINT_HIGH[i]):.9g}" armature="0.2" damping="2"/>
    {geoms}{text}
  </body>"""
    base = f'<geom class="robot" type="cylinder" fromto="0 0 0 0 0 0.14" size="0.075" rgba="{_WHITE}"/>'
    return f'<body name="base" childclass="robot">{base}{text}</body>'


def fixed_cameras(cameras: Sequence[Camera] = CAMERAS) -> str:
    """`<camera>` elements, and one more that stands where the first does unless it was moved: light comes from there too."""
    lamp = replace(CAMERAS[0], name=HEADLIGHT)
    return "".join(_camera(c) for c in (*cameras, lamp) if c.mount == "base")


DEFAULTS = f"""
  <default class="robot">
    <geom group="{ROBOT_GEOM_GROUP}" contype="2" conaffinity="1" condim="3" friction="0.8 0.005 0.0001"/>
    <default class="pad"><geom condim="4" friction="1.6 0.03 0.0002" solimp="0.97 0.995 0.001" solref="0.006 1"/></default>
  </default>"""

# Position servos. The hand's force at full closing is about 45 N: weaker grips let boxes slip.
ACTUATORS = "".join(
    f'<position name="joint{i + 1}" joint="joint{i + 1}" kp="{kp}" kv="{kv}"/>'
    for i, (kp, kv) in enumerate([(4500, 300)] * 2 + [(3500, 250)] * 2 + [(2000, 120)] * 3)
) + "".join(
    f'<position name="{side}_finger" joint="{side}_finger" kp="1200" kv="40" forcerange="-45 45"/>'
    for side in ("left", "right")
)

VISUAL = """
  <visual>
    <global offwidth="640" offheight="640"/>
    <quality shadowsize="0" offsamples="0" numslices="12" numstacks="6" numquads="1"/>
    <headlight ambient="0.45 0.45 0.45" diffuse="0.35 0.35 0.35" specular="0 0 0"/>
    <map znear="0.01" zfar="20"/>
  </visual>"""

# Part of how the robot looks: physics and the pose map are lit alike.
LIGHT = '<light pos="0.5 -0.4 1.5" dir="0 0.25 -1" directional="true" diffuse="0.45 0.45 0.45" specular="0 0 0"/>'
