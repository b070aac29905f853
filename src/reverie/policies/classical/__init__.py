"""The classical pipeline: what robots did before they were trained, from the same pixels, commands and instructions.

`request` reads the instruction, `views` and `colours` prepare the images, `shapes`, `fitting` and `detection` find the two
things by analysis by synthesis, `planning` and `motion` make a pick and place of them, `row` decides, `policy` is the Policy.
It knows the embodiment's calibrated cameras and the asset tables, never the scene. Named colours and kinds that are not
in those tables are beyond it.
"""

from reverie.policies.classical.policy import ClassicalPolicy

__all__ = ["ClassicalPolicy"]
