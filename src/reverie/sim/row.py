"""One row of the physics world: one scene, its robot, its clock, its latched success and its events."""

from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from reverie.core.errors import ReverieError
from reverie.core.scene import Scene
from reverie.core.world import Event
from reverie.embodiments import panda
from reverie.embodiments.drawing import Drawer
from reverie.scenes.assets import HINGED, KINDS
from reverie.scenes.goals import RELATIONS
from reverie.scenes.order import Order
from reverie.scenes.state import TableState
from reverie.scenes.tasks import task_named
from reverie.sim import table_model

CONTROL_DT = 1 / panda.ACTION_SPEC.control_hz
HOLD_STEPS = 5  # success must hold for 0.5 s
MAX_GOALS = 2
_SERVO_DT = 0.01  # how often the servo's target moves within a control step
_SETTLE_STEPS = 3
_JITTER_M, _JITTER_RAD, _JITTER_LID_RAD = 0.004, 0.05, 0.12
_LIFTED_M = 0.03
_DROPPED_M = 0.05  # scripts let go up to 4 cm above a container's floor, to keep the finger tips above its rim

Array = NDArray[np.float64]


class Row:
    """`step` and `frame` are what PhysicsWorld calls. Errors: ReverieError for a scene with unknown names, one that is
    solved at reset, and for physics that diverged.

    Events, each with the `object`: "first_contact" once per thing; "lifted" when the gripper holds it 3 cm higher than it
    began; then, when the robot no longer touches it, "dropped" if it had to fall 5 cm or more from there, else "released".
    Of several goals also "reached", with its `goal`'s place in order, and "out_of_order" when one was held before its turn.
    """

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene, self.task = scene, task_named(scene.task)
        self.model = table_model.build(scene)
        self.data = mujoco.MjData(self.model)
        self._names = tuple(o.name for o in scene.objects)
        self._body_ids = np.array([self.model.body(n).id for n in self._names])
        self._lids = {n: self.model.joint(table_model.lid_joint(n)) for n in self._hinged()}
        self._owner = self._geom_owners()
        joints = [self.model.joint(f"joint{i}") for i in range(1, 8)]
        self._arm_qpos = np.array([int(j.qposadr[0]) for j in joints])
        self._gains = self.model.actuator_gainprm[:7, 0], -self.model.actuator_biasprm[:7, 2]
        self._drawer = Drawer(self.model, panda.OBSERVATION_SPEC.camera_names, (64, 64))
        self._calibration = panda.calibration_of(scene.look)
        self.commanded = panda.start([scene.robot_start])[0]
        self._jitter(np.random.default_rng(seed))
        self._settle()
        self.start, self._start_poses = self.state(), self._poses()
        self._kinds = np.array([KINDS.index(o.kind) for o in scene.objects], np.int8)
        self._goals = self._goal_table()
        if any(self.task.reached(scene, self.start)):
            raise ReverieError(f"scene {scene.id!r}: success is already true at reset; draw another scene")
        self.n_steps, self._order = 0, Order(len(scene.goals), HOLD_STEPS)
        self.success_time_s: float | None = None
        self._peak, self._touched = 0.0, set[str]()
        self._carried, self._fall_m = "", 0.0

    def _hinged(self) -> list[str]:
        return [o.name for o in self.scene.objects if o.kind in HINGED]

    def _goal_table(self) -> NDArray[np.int8]:
        """[MAX_GOALS, 3]: index of target and of reference, place of the relation in `RELATIONS`; -1 for none."""
        table = np.full((MAX_GOALS, 3), -1, np.int8)
        for i, goal in enumerate(self.scene.goals):
            things = [self._names.index(n) if n else -1 for n in (goal.target, goal.reference)]
            table[i] = *things, list(RELATIONS).index(goal.relation)
        return table

    def _geom_owners(self) -> NDArray[np.int64]:
        """Per geom: index of the thing it belongs to, -2 left pad, -3 right pad, -4 other robot, -1 table and floor."""
        owner = np.full(self.model.ngeom, -1, dtype=np.int64)
        robot = {b for b in range(self.model.nbody) if self.model.body(b).name in _ROBOT_BODIES}
        for g, body in enumerate(self.model.geom_bodyid):
            found = np.flatnonzero(self._body_ids == self.model.body_rootid[body])
            if len(found):
                owner[g] = found[0]
            elif int(body) in robot:
                owner[g] = {"left_finger": -2, "right_finger": -3}.get(self.model.body(int(body)).name, -4)
        return owner

    def _jitter(self, rng: np.random.Generator) -> None:
        """A replicate moves every thing by a few millimetres, and lids by a few degrees: same scene, other trial."""
        for name in self._names:
            address = int(self.model.joint(self.model.body(name).jntadr[0]).qposadr[0])
            self.data.qpos[address : address + 2] += rng.uniform(-_JITTER_M, _JITTER_M, 2)
            half = rng.uniform(-_JITTER_RAD, _JITTER_RAD) / 2
            w, z = self.data.qpos[address + 3], self.data.qpos[address + 6]
            self.data.qpos[address + 3] = w * np.cos(half) - z * np.sin(half)
            self.data.qpos[address + 6] = w * np.sin(half) + z * np.cos(half)
        for name, joint in self._lids.items():
            open_rad = HINGED[self.scene.placement(name).kind].open_rad
            self.data.qpos[joint.qposadr[0]] = open_rad + rng.uniform(-_JITTER_LID_RAD, _JITTER_LID_RAD)

    def _settle(self) -> None:
        self.data.qpos[self._arm_qpos] = self.commanded[8:]
        fingers = [int(self.model.joint(f"{s}_finger").qposadr[0]) for s in ("left", "right")]
        self.data.qpos[fingers] = self.commanded[7] * panda.OPENING_M / 2
        for _ in range(_SETTLE_STEPS):
            self._servo(self.commanded, self.commanded)

    def _servo(self, before: Array, after: Array) -> None:
        """Move the servo's target evenly from one commanded state to the next, with velocity fed forward."""
        stiffness, damping = self._gains
        velocity = (after[8:] - before[8:]) / CONTROL_DT
        n = round(CONTROL_DT / _SERVO_DT)
        for i in range(1, n + 1):
            share = i / n
            target = before[8:] + share * (after[8:] - before[8:])
            self.data.ctrl[:7] = target + damping / stiffness * velocity
            opening = before[7] + share * (after[7] - before[7])
            self.data.ctrl[7:9] = opening * panda.OPENING_M / 2
            mujoco.mj_step(self.model, self.data, round(_SERVO_DT / table_model.PHYSICS_DT))
        if not np.isfinite(self.data.qpos).all():
            raise ReverieError(f"physics of scene {self.scene.id!r} diverged at t = {self.data.time:.2f} s")

    def step(self, action: NDArray[np.float32]) -> list[Event]:
        """One control step; returns what happened in it."""
        before, self.commanded = self.commanded, panda.integrate(self.commanded[None], action[None])[0]
        self._servo(before, self.commanded)
        self.n_steps += 1
        state = self.state()
        events = [*self._contact_events(state), *self._grasp_events(state)]
        self._peak = max(self._peak, self.task.progress(self.scene, self.start, state, self._order.n_reached))
        return events + self._goal_events(state)

    def _goal_events(self, state: TableState) -> list[Event]:
        order, events = self._order, []
        n_reached, broken = order.n_reached, order.broken
        all_held = order.step(self.task.reached(self.scene, state))
        if len(self.scene.goals) > 1:
            events += [Event("reached", self.time_s, {"goal": i}) for i in range(n_reached, order.n_reached)]
            events += [Event("out_of_order", self.time_s)] * (order.broken and not broken)
        if all_held and self.success_time_s is None:
            self.success_time_s = self.time_s
            events.append(Event("success", self.time_s))
        return events

    @property
    def time_s(self) -> float:
        """Seconds since reset."""
        return round(self.n_steps * CONTROL_DT, 6)

    def _contact_events(self, state: TableState) -> list[Event]:
        new = sorted(state.touched - self._touched)
        self._touched |= state.touched
        return [Event("first_contact", self.time_s, {"object": name}) for name in new]

    def _grasp_events(self, state: TableState) -> list[Event]:
        """What was lifted is carried until nothing of the robot touches it: a pad may lose it for a moment."""
        carried, events = self._carried, []
        if carried and carried not in state.touched:
            events = [Event("dropped" if self._fall_m > _DROPPED_M else "released", self.time_s, {"object": carried})]
            self._carried = ""
        elif not carried and state.held and self._height(state, state.held) > _LIFTED_M:
            self._carried = state.held
            events = [Event("lifted", self.time_s, {"object": state.held})]
        if self._carried:
            self._fall_m = self._room_below(state, self._carried)
        return events

    def _height(self, state: TableState, name: str) -> float:
        return float(state.positions[name][2] - self.start.positions[name][2])

    def _room_below(self, state: TableState, name: str) -> float:
        """How far a thing would fall, in m: from its centre down to the next surface, less than when it stands."""
        centre, down, body = state.positions[name], np.array([0.0, 0.0, -1.0]), self.model.body(name).id
        distance, hit = 0.0, np.zeros((1, 1), np.int32)
        while True:
            distance += mujoco.mj_ray(self.model, self.data, centre + distance * down, down, None, True, body, hit)
            if self._owner[hit[0, 0]] > -2 or hit[0, 0] < 0:  # a finger may reach under the middle of a hollow thing
                return float(distance - table_model.centre_height(self.scene.placement(name)))
            distance += 1e-4

    def state(self) -> TableState:
        """What predicates may look at, now."""
        contact = self._owner[self.data.contact.geom] if self.data.ncon else np.zeros((0, 2), np.int64)
        by_robot = {int(max(a, b)): set[int]() for a, b in contact if min(a, b) <= -2 and max(a, b) >= 0}
        for a, b in contact:
            if min(a, b) <= -2 and max(a, b) >= 0:
                by_robot[int(max(a, b))].add(int(min(a, b)))
        held = [self._names[i] for i, parts in by_robot.items() if {-2, -3} <= parts]
        return TableState(
            positions=dict(zip(self._names, self.data.xpos[self._body_ids].copy(), strict=True)),
            rotations=dict(zip(self._names, self.data.xmat[self._body_ids].reshape(-1, 3, 3).copy(), strict=True)),
            speeds=self._speeds(),
            held=held[0] if held else None,
            touched=frozenset(self._names[i] for i in by_robot),
            tcp=self.data.site("tcp").xpos.copy(),
            opening=float(self._opening()),
            angles={n: float(self.data.qpos[j.qposadr[0]]) for n, j in self._lids.items()},
        )

    def _speeds(self) -> dict[str, float]:
        velocity = self.data.cvel[self._body_ids]
        speeds = dict(zip(self._names, np.linalg.norm(velocity[:, 3:], axis=1).tolist(), strict=True))
        for name, joint in self._lids.items():
            edge = HINGED[self.scene.placement(name).kind].lid_m * abs(float(self.data.qvel[joint.dofadr[0]]))
            speeds[name] = max(speeds[name], edge)
        return speeds

    def _opening(self) -> Any:
        fingers = [self.data.joint(f"{s}_finger").qpos[0] for s in ("left", "right")]
        return np.clip(sum(fingers) / panda.OPENING_M, 0, 1)

    def _poses(self) -> NDArray[np.float32]:
        poses = np.concatenate([self.data.xpos[self._body_ids], self.data.xquat[self._body_ids]], axis=1)
        return poses.astype(np.float32)

    def _angles(self, state: TableState) -> NDArray[np.float32]:
        return np.array([max(state.angles[n], 0.0) if n in state.angles else -1.0 for n in self._names], np.float32)

    def measured(self) -> Array:
        """Measured state [15], in the order of `panda.STATE_NAMES`."""
        pose = np.eye(4)[None].copy()
        pose[0, :3, :3] = self.data.site("tcp").xmat.reshape(3, 3)
        pose[0, :3, 3] = self.data.site("tcp").xpos
        return np.asarray(panda.state_of(pose, np.array([self._opening()]), self.data.qpos[self._arm_qpos][None])[0])

    def frame(self, depth: bool) -> Mapping[str, NDArray[Any]]:
        """Everything one frame shows: images, states, and the truth beside them."""
        rgb, distance = self._drawer.draw(self.data)
        state, measured = self.state(), self.measured()
        cameras = panda.OBSERVATION_SPEC.camera_names
        shown: dict[str, NDArray[Any]] = {f"images.{c}": rgb[i] for i, c in enumerate(cameras)}
        if depth:
            millimetres = np.minimum(distance * 1000, 65535).astype(np.uint16)
            shown |= {f"extras.depth.{c}": millimetres[i] for i, c in enumerate(cameras)}
        return shown | {
            "commanded": self.commanded.astype(np.float32),
            "measured": measured.astype(np.float32),
            "time_s": np.float64(self.time_s),
            "extras.object_poses": self._poses(),
            "extras.start_poses": self._start_poses,
            "extras.kinds": self._kinds,
            "extras.goal": self._goals[self._order.current, :2],
            "extras.goals": self._goals,
            "extras.camera_matrices": panda.camera_matrices(measured[None], self._calibration)[0],
            "extras.angles": self._angles(state),
            "extras.held": np.int8(self._names.index(state.held) if state.held else -1),
            "extras.progress": np.float32(1.0 if self.success_time_s is not None else min(self._peak, 0.99)),
            "extras.success": np.bool_(self.success_time_s is not None),
        }


_ROBOT_BODIES = frozenset(("base", "hand", "tcp", "left_finger", "right_finger", *(f"link{i}" for i in range(1, 8))))
