"""Physics (MuJoCo): the ground truth world of the tabletop benchmark, and the scripted experts that know its state."""

from reverie.sim.world import PhysicsWorld

__all__ = ["PhysicsWorld"]
