"""Goals: when each relation holds, and in which order goals were reached."""

from dataclasses import replace

import numpy as np
import pytest

from reverie.core import ReverieError
from reverie.scenes.assets import ALL_OBJECTS, HINGED
from reverie.scenes.goals import SHUT_RAD, reached, relation_named
from reverie.scenes.order import Order
from reverie.scenes.shutting import over_lid, phase_at, waypoints
from reverie.scenes.state import TableState
from reverie.scenes.tasks import draw_scene, task_named


def standing(scene, **moved):
    """Everything where the scene puts it, at rest, but for what is `moved`: name -> xyz of its body."""
    heights = {o.name: ALL_OBJECTS[o.kind].height_m / 2 if o.kind in ALL_OBJECTS else 0.0 for o in scene.objects}
    positions = {o.name: np.array([o.x, o.y, heights[o.name]]) for o in scene.objects} | moved
    lids = {o.name: HINGED[o.kind].open_rad for o in scene.objects if o.kind in HINGED}
    return TableState(positions, dict.fromkeys(positions, np.eye(3)), dict.fromkeys(positions, 0.0), None, frozenset(),
                      np.array([0.36, 0, 0.27]), 1.0, lids)  # fmt: skip


def stacked(scene, sideways_m=0.0, lower_m=0.0):
    a, b = (scene.placement(n) for n in (scene.target, scene.reference))
    top = ALL_OBJECTS[b.kind].height_m + ALL_OBJECTS[a.kind].height_m / 2
    return standing(scene, **{a.name: np.array([b.x + sideways_m, b.y, top - lower_m])})


def test_stacked_is_on_top_at_rest_and_let_go() -> None:
    scene = draw_scene("stack", "validation", 1)
    (goal,), on_top = scene.goals, stacked(scene)
    assert reached(scene, goal, on_top)
    assert not reached(scene, goal, standing(scene))
    assert not reached(scene, goal, stacked(scene, sideways_m=0.06))
    assert not reached(scene, goal, stacked(scene, lower_m=0.012))
    assert not reached(scene, goal, replace(on_top, held=goal.target))
    assert not reached(scene, goal, replace(on_top, touched=frozenset({goal.target})))
    assert not reached(scene, goal, replace(on_top, speeds={**on_top.speeds, goal.target: 0.1}))
    toppled = {**on_top.rotations, goal.target: np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])}
    assert not reached(scene, goal, replace(on_top, rotations=toppled))


def test_a_lid_is_shut_below_its_angle_and_progress_follows_the_lid() -> None:
    scene, task = draw_scene("close_laptop", "validation", 0), task_named("close_laptop")
    start, (goal,) = standing(scene), scene.goals
    lids = [replace(start, angles={**start.angles, goal.target: a}) for a in (1.75, 1.2, 0.6, SHUT_RAD - 0.01)]
    assert [reached(scene, goal, s) for s in lids] == [False, False, False, True]
    made = [task.progress(scene, start, s) for s in lids]
    assert made == sorted(made)
    assert made[-1] > 0.9
    other = next(n for n in start.angles if n != goal.target)
    assert not reached(scene, goal, replace(start, angles={**start.angles, other: 0.0}))


def test_progress_of_two_goals_is_graded() -> None:
    scene, task = draw_scene("a_then_b", "validation", 0), task_named("a_then_b")
    start = standing(scene)
    assert task.progress(scene, start, start, 0) < 0.1
    assert 0.5 <= task.progress(scene, start, start, 1) < 0.6
    assert len(task.reached(scene, start)) == len(scene.goals) == 2
    assert task.distance(scene, start, 1) > 0.05


def test_goals_count_in_their_order() -> None:
    def run(*states):
        order = Order(2, hold=2)
        return [order.step(s) for s in states], order

    a, b, both, none = (True, False), (False, True), (True, True), (False, False)
    held, order = run(none, a, a, none, a, both, both)
    assert held == [False] * 6 + [True]
    assert (order.n_reached, order.broken) == (2, False)
    held, order = run(b, b, both, both, both)
    assert not any(held)
    assert order.broken
    held, _ = run(a, a, b, b, b)  # the first came undone
    assert not any(held)
    assert run(a)[1].current == run(b, none)[1].current == 0
    assert run(a, a)[1].current == run(a, a, both, both)[1].current == 1


def test_one_goal_is_held_as_before() -> None:
    order = Order(1, hold=3)
    assert [order.step([v]) for v in (True, True, False, True, True, True, True)] == [False] * 5 + [True, True]


def test_a_lid_is_pushed_on_a_way_that_can_be_joined_anywhere() -> None:
    kind, base, yaw = HINGED["laptop"], np.array([0.5, 0.05, 0.0]), 0.4
    way = waypoints(kind, base, yaw, 0.0)
    assert way[1][0] > base[0] > way[6][0] - 0.05
    assert min(p[2] for p in way) > kind.hinge[1]
    assert [phase_at(kind, base, yaw, p) for p in way] == [1, 2, 3, 4, 5, 6, 6, 0]
    half = waypoints(kind, base, yaw, 0.7)
    assert half[6][2] > way[6][2] + 0.03
    np.testing.assert_allclose(over_lid(kind, 0.0, 0.0)[2], kind.hinge[1])


def test_an_unknown_relation_is_refused_with_the_nearest() -> None:
    with pytest.raises(ReverieError, match="did you mean 'beside'"):
        relation_named("besides")
