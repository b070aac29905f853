"""The bound for those who do not read the instruction: the guess that it names is right as often as it says."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from reverie.core import ReverieError
from reverie.scenes.blind import best_blind_success, blind_chances, satisfied_by
from reverie.scenes.tasks import TASKS, draw_scene

N = 700


@pytest.mark.parametrize("task", TASKS)
def test_the_best_guess_is_right_as_often_as_it_says(task):
    scenes = [draw_scene(task, "test", 7_000_000 + i) for i in range(N)]
    chances = [blind_chances(s) for s in scenes]
    said = np.array([best_blind_success(s) for s in scenes])
    hits = []
    for scene, chance in zip(scenes, chances, strict=True):
        alike = Counter()
        for goals, p in chance.items():
            alike[tuple(satisfied_by(g) for g in goals)] += p
        best = [goals for goals, p in alike.items() if np.isclose(p, max(alike.values()))]
        hits.append((tuple(satisfied_by(g) for g in scene.goals) in best) / len(best))
    error = np.sqrt((said * (1 - said)).sum()) / N
    assert abs(np.mean(hits) - said.mean()) < 4 * error, (np.mean(hits), said.mean())
    np.testing.assert_allclose([sum(c.values()) for c in chances], 1)


def test_a_pair_that_looks_alike_betrays_who_is_meant():
    """A rule of one line, without probabilities, does not beat the bound; it beats one over the number of pairs by far."""
    scenes = [draw_scene("move_beside", "test", 8_000_000 + i) for i in range(500)]
    alike = []
    for scene in scenes:
        things = {o.name: o for o in scene.objects}
        pairs = [(things[g.target], things[g.reference]) for (g,) in blind_chances(scene)]
        chosen = [{a.name, b.name} for a, b in pairs if a.kind == b.kind or a.color == b.color]
        chosen = chosen or [{a.name, b.name} for a, b in pairs]
        alike.append(2 * ({scene.target, scene.reference} in chosen) / len(chosen))  # both orders are named
    bound = np.mean([best_blind_success(s) for s in scenes])
    naive = np.mean([2 / len(blind_chances(s)) for s in scenes])
    assert naive + 0.05 < np.mean(alike) < bound + 0.05


def test_chances_look_at_the_scene_only():
    scene = draw_scene("put", "test", 0)
    assert blind_chances(replace(scene, target="", reference="", instruction="")) == blind_chances(scene)
    with pytest.raises(ReverieError, match="no two things"):
        blind_chances(replace(scene, objects=()))
