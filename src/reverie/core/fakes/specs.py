"""What the toy world means: specs and scenes. A dot on a small image should come to rest on a square."""

from reverie.core.scene import ObjectPlacement, Scene
from reverie.core.seeding import generator
from reverie.core.specs import ActionSpec, CameraSpec, ObservationSpec

SIZE = 16
NEAR = 0.12
HOLD_STEPS = 3
ACTION_SPEC = ActionSpec(
    names=("dx", "dy", "gripper"),
    units=("m", "m", "1"),
    modes=("delta", "delta", "absolute"),
    frame="base",
    rotation="none",
    gripper="closed0_open1",
    control_hz=10.0,
    low=(-0.1, -0.1, 0.0),
    high=(0.1, 0.1, 1.0),
)
STATE_NAMES = ("x", "y", "z", "opening")
EXTRAS = ("success", "object_poses", "camera_matrices")
OBSERVATION_SPEC = ObservationSpec(
    cameras=(CameraSpec("front", SIZE, SIZE), CameraSpec("top", SIZE, SIZE)),
    commanded=STATE_NAMES,
    measured=STATE_NAMES,
    extras=EXTRAS,
    frame_every=2,
)
PIXEL_SPEC = ObservationSpec(cameras=OBSERVATION_SPEC.cameras[:1], commanded=STATE_NAMES, frame_every=2)
PRIVILEGED_SPEC = ObservationSpec((), commanded=STATE_NAMES, extras=("object_poses",), frame_every=2)
HISTORY_SPEC = ObservationSpec(
    OBSERVATION_SPEC.cameras, commanded=("y", "x"), frame_every=2, n_obs_steps=3, obs_stride=2
)


def fake_scenes(n: int, task: str = "reach") -> list[Scene]:
    """n different scenes: a square somewhere, the dot starting elsewhere."""
    scenes = []
    for i in range(n):
        x, y, start_x, start_y = generator("fake scene", task, i).uniform([0.6, 0.1, 0.1, 0.1], [0.9, 0.9, 0.3, 0.9])
        goal = ObjectPlacement("goal", "square", "green", float(x), float(y), 0.0, container=True)
        scenes.append(
            Scene(
                id=f"{task}/test/{i}",
                task=task,
                instruction=f"{task} the green square",
                objects=(goal,),
                target="goal",
                robot_start=(float(start_x), float(start_y), 0.0, 0.0),
            )
        )
    return scenes
