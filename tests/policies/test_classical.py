"""The classical pipeline: reads what people write, finds things where physics says they are, and does the task."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from reverie.core import ReverieError, concat_rows
from reverie.core.contracts import check_policy
from reverie.core.rotations import matrix_to_rpy, quat_to_matrix
from reverie.embodiments import panda
from reverie.embodiments.drawing import PoseMap
from reverie.evaluation import resolve
from reverie.policies.catalog import load_policy
from reverie.policies.classical import ClassicalPolicy, detection, motion, shapes
from reverie.policies.classical.request import understand
from reverie.policies.classical.views import look
from reverie.rollouts import rollout
from reverie.rollouts.windows import window
from reverie.scenes import instructions
from reverie.scenes.assets import COLORS, CONTAINERS, OBJECTS
from reverie.scenes.tasks import BASIC, draw_scene
from reverie.sim import PhysicsWorld

SCENES = [draw_scene(task, "train", i) for task in BASIC for i in range(3)]


@pytest.fixture(scope="module")
def first():
    """Observations [B] at reset of SCENES."""
    return PhysicsWorld().reset(SCENES, list(range(len(SCENES))))


def seen_by(policy, observations):
    return window([observations], policy.observation_spec, PhysicsWorld().observation_spec)


def test_its_name_opens_it_and_takes_no_argument():
    assert isinstance(load_policy("classical"), ClassicalPolicy)
    assert isinstance(resolve.load_policy("classical"), ClassicalPolicy)
    with pytest.raises(ReverieError, match="takes no argument"):
        resolve.load_policy("classical:fast")


@pytest.mark.parametrize("task", BASIC)
def test_every_template_and_paraphrase_is_understood(task):
    scene = draw_scene(task, "train", 0)
    target, reference = scene.placement(scene.target), scene.placement(scene.reference)
    preposition = "next to" if scene.relation == "beside" else scene.relation
    for template in (*instructions.TEMPLATES[task], *instructions.PARAPHRASES[task]):
        request = understand(instructions.write(task, template, target.label, reference.label, preposition))
        assert (request.target.color, request.target.kind) == (target.color, target.kind)
        assert (request.reference.color, request.reference.kind) == (reference.color, reference.kind)
        assert request.relation == ("beside" if task == "move_beside" else "inside")


def test_word_order_and_sources_do_not_confuse():
    request = understand("On the red plate, put the violet stick from the blue tray.")
    assert (request.target.color, request.target.kind, request.reference.kind) == ("purple", "bar", "plate")


@pytest.mark.parametrize(
    "text",
    ["", "dance", "put the pink ball in the red box", "put it in the red bowl", "stack the red cube on the blue brick"],
)
def test_what_cannot_be_read_is_not_guessed(text):
    assert understand(text) is None


def test_an_unreadable_instruction_makes_it_stand_still(first):
    policy = ClassicalPolicy()
    seen = replace(seen_by(policy, first[:2]), instructions=("sing a song", "put the pink ball in the red box"))
    chunk, _ = policy.infer(seen, None, [0, 0])
    assert np.allclose(chunk.values[..., :6], 0)
    assert np.allclose(chunk.values[..., 6], first.commanded[:2, None, 7])


@pytest.mark.parametrize("kind", [*OBJECTS, *CONTAINERS])
def test_outlines_hold_the_projected_middle_and_not_what_is_far(kind):
    matrix = panda.camera_matrices(panda.start([[0.0] * 6]))[0, 0].astype(np.float64)
    uvw = matrix @ [0.45, 0.05, 0.005, 1]
    pixels = (uvw[:2] / uvw[2] + np.array([[0, 0], [25, 0], [0, -25]])).astype(np.float32)
    margin = shapes.margins(kind, np.array([[0.45, 0.05, 0, 0.3]]), matrix, pixels)[0]
    assert margin[0] > (-2.0 if kind == "corner" else 0.0)  # the corner's middle lies in its angle
    assert (margin[1:] < -5).all()


@pytest.mark.parametrize("blur_pixels", [0.0, 0.8])
def test_targets_and_references_are_found_where_physics_has_them(first, blur_pixels):
    for i, scene in enumerate(SCENES):
        images = {c: gaussian_filter(v[i], (blur_pixels, blur_pixels, 0)) for c, v in first.images.items()}
        views = look(images, first.commanded[i].astype(np.float64), moving=False)
        for j in first.extras["goal"][i]:
            placement, truth = scene.objects[j], first.extras["object_poses"][i, j].astype(np.float64)
            found = detection.find(views, placement.kind, placement.color)
            assert np.linalg.norm(found.pose[:2] - truth[:2]) < 0.006
            period = OBJECTS[placement.kind].yaw_period_rad if placement.kind in OBJECTS else 0.0
            if period:
                off = found.pose[3] - matrix_to_rpy(quat_to_matrix(truth[3:]))[2]
                assert abs((off + period / 2) % period - period / 2) < 0.2


def test_it_keeps_the_contract_of_policies(first):
    check_policy(ClassicalPolicy(), seen_by(ClassicalPolicy(), concat_rows([first[:1], first[4:5]])))


@pytest.mark.parametrize("task", BASIC)
def test_it_solves_held_out_scenes_in_physics(task):
    scenes = [draw_scene(task, "validation", i) for i in range(3)]
    episodes = rollout(ClassicalPolicy(), PhysicsWorld(), scenes, [1, 2, 3], 70)
    assert [e.success for e in episodes] == [True] * 3


class MissesOnce(ClassicalPolicy):
    """Its first plan aims 6 cm beside the target."""

    def infer(self, observations, memory, seeds):
        chunk, after = super().infer(observations, memory, seeds)
        if memory is None:
            after = {**after, "grasp": after["grasp"] + np.array([-0.06, 0, 0])}
        return chunk, after


def test_a_missed_grasp_is_noticed_and_repeated():
    scenes = [draw_scene("put", "train", i) for i in range(3)]
    episodes = rollout(MissesOnce(), PhysicsWorld(), scenes, [1, 2, 3], 80)
    assert sum(bool(e.success) for e in episodes) >= 2


def test_a_thing_that_is_not_there_is_looked_for_and_then_given_up(first):
    policy = ClassicalPolicy()
    present = {p.color for p in SCENES[0].objects}
    absent = next(c for c in ("red", "green", "blue", "yellow") if c not in present)
    seen = replace(seen_by(policy, first[:1]), instructions=(f"put the {absent} cube in the {absent} bowl",))
    memory, moved = None, []
    for _ in range(14):
        chunk, memory = policy.infer(seen, memory, [0])
        moved.append(bool(np.abs(chunk.values[..., :6]).max() > 1e-6))
    assert moved[0]
    assert not moved[-1]
    assert memory["phase"][0] == motion.LOOK


def painted(color):
    return lambda image, robot: np.broadcast_to(np.array(color, np.uint8), image.shape)


IMAGES = {
    "black": painted((0, 0, 0)),
    "white": painted((255, 255, 255)),
    "robot_only": lambda image, robot: robot,
    "target_colour_everywhere": painted(tuple(int(255 * v) for v in COLORS[SCENES[0].placement("object_0").color])),
    "noise": lambda image, robot: np.random.default_rng(0).integers(0, 256, image.shape, dtype=np.uint8),
    "blurred": lambda image, robot: gaussian_filter(image, (4, 4, 0)),
    "torn": lambda image, robot: np.where(np.arange(len(image))[:, None, None] % 6 < 3, image, robot),
}


@pytest.mark.parametrize("case", IMAGES)
def test_no_picture_breaks_it(first, case):
    """A learned video world may show anything: 24 calls, as in an episode where the arm obeys and the pictures lie."""
    policy, drawer, memory, sizes = ClassicalPolicy(), PoseMap(), None, []
    state = first.commanded[:1].astype(np.float64)
    low, high = np.array(policy.action_spec.low) - 1e-6, np.array(policy.action_spec.high) + 1e-6
    for _ in range(24):
        robot, _ = drawer.draw(state[0].astype(np.float32))
        images = {c.name: IMAGES[case](first.images[c.name][0], robot[i])[None] for i, c in enumerate(panda.CAMERAS)}
        seen = replace(first[:1], images=images, commanded=state.astype(np.float32))
        chunk, memory = policy.infer(seen_by(policy, seen), memory, [0])
        assert ((low <= chunk.values) & (chunk.values <= high)).all()  # NaN would fail too
        for t in range(policy.n_action_steps):
            state = panda.integrate(state, chunk.values[:, t])
        sizes.append(float(np.abs(chunk.values[..., :6]).max()))
    if case in ("black", "white", "robot_only"):
        assert memory["phase"][0] == motion.LOOK
        assert sizes[0] > 1e-3  # it went to look from elsewhere
        assert sizes[-1] < 1e-6  # and gave up


class SeesBlurred(ClassicalPolicy):
    def infer(self, observations, memory, seeds):
        images = {c: gaussian_filter(v, (0, 0, 1.2, 1.2, 0)) for c, v in observations.images.items()}
        return super().infer(replace(observations, images=images), memory, seeds)


def test_it_works_from_pictures_as_blurred_as_a_video_world_makes_them():
    scenes = [draw_scene(task, "validation", 8) for task in BASIC]
    episodes = rollout(SeesBlurred(), PhysicsWorld(), scenes, [1, 2], 70)
    assert [e.success for e in episodes] == [True] * 2
