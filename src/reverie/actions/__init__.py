"""Action codecs: what a network predicts, and the actions that it means; and from one action spec to another."""

from reverie.actions.catalog import CODECS, codec_from_dict, load_codec, save_codec
from reverie.actions.codec import Codec, CodecSpec, Decoded, DecodeError
from reverie.actions.conversions import convert
from reverie.actions.hand_state import HandState, hand_state
from reverie.actions.normalisation import Normalisation

__all__ = [
    "CODECS",
    "Codec",
    "CodecSpec",
    "DecodeError",
    "Decoded",
    "HandState",
    "Normalisation",
    "codec_from_dict",
    "convert",
    "hand_state",
    "load_codec",
    "save_codec",
]
