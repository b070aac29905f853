"""Scenes of the toy world, each also told other words; and again where the square has moved away."""

from dataclasses import replace

from reverie.core import Edit
from reverie.core.fakes import fake_scenes
from reverie.evaluation.language import told


def make():
    scenes = fake_scenes(8)
    far = [replace(s, edits=(Edit("far", 1.0),), robot_start=(0.0, 1.0 - s.robot_start[1], 0.0, 0.0)) for s in scenes]
    return [*scenes, *(told(s, "go there") for s in scenes), *far[:6]]
