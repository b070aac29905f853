"""How views are called, beside how numbers are written (`stats.formats`)."""

from reverie.evaluation.blocks import REPLAY, SCRIPTS
from reverie.evaluation.outcomes import View
from reverie.stats.formats import ABSENT, counts, drop_one, number, p_value, percent, plain_percent, points

__all__ = [
    "ABSENT",
    "counts",
    "drop_one",
    "number",
    "p_value",
    "percent",
    "plain_percent",
    "points",
    "view_words",
    "world_words",
]


def world_words(world: str) -> str:
    """A world or an arm of it ("dream+replay") in words."""
    if world.endswith(REPLAY):
        return f"{world.removesuffix(REPLAY)}, replaying the true actions"
    if world.endswith(SCRIPTS):
        return f"{world.removesuffix(SCRIPTS)} (scripts replayed)"
    return world


def view_words(view: View) -> str:
    return f"{world_words(view.world)}, judged by {view.judge}"
