"""People look: clips of a run are rated, recorded episodes are labelled, by keyboard in a browser on this machine."""

from reverie.annotation.labelling import Labelling
from reverie.annotation.rating import Rating, rating_of
from reverie.annotation.session import Session
from reverie.annotation.worklist import Answer, Clip, Worklist

__all__ = ["Answer", "Clip", "Labelling", "Rating", "Session", "Worklist", "rating_of"]
