"""One ordered list of transforms between data and model, its inverse beside it: in training, evaluation and serving."""

from reverie.transforms.batch import Batch, Transform
from reverie.transforms.catalog import TRANSFORMS, Pipeline
from reverie.transforms.images import ImagesToFloat, ResizeImages
from reverie.transforms.numbers import NormalizeActions, NormalizeState, StateQuaternionTo6d
from reverie.transforms.text import LowerText

__all__ = [
    "TRANSFORMS",
    "Batch",
    "ImagesToFloat",
    "LowerText",
    "NormalizeActions",
    "NormalizeState",
    "Pipeline",
    "ResizeImages",
    "StateQuaternionTo6d",
    "Transform",
]
