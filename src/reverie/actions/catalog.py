"""The table of codecs, and their way in and out of JSON: of a checkpoint's entry, or of a folder of their own."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reverie.actions.codec import Codec
from reverie.actions.continuous import Continuous
from reverie.actions.fast import Fast
from reverie.actions.quantile_bins import QuantileBins
from reverie.actions.rt2_text import RT2Text
from reverie.actions.uniform_bins import UniformBins
from reverie.actions.vocabulary_tail import VocabularyTail
from reverie.core import ReverieError, unknown_name
from reverie.core.files import write_text

CODECS: dict[str, type[Codec[Any]]] = {
    "uniform_bins": UniformBins,
    "quantile_bins": QuantileBins,
    "rt2_text": RT2Text,
    "vocabulary_tail": VocabularyTail,
    "fast": Fast,
    "continuous": Continuous,
}

FILE, FORMAT = "codec.json", 1


def codec_from_dict(value: Any, where: str = "codec") -> Codec[Any]:
    """What a codec's `to_dict` gave. Errors: ReverieError that begins with `where`."""
    if not isinstance(value, Mapping):
        raise ReverieError(
            f"{where}: found {str(value)[:80]}, expected an object with the name of a codec and its entries"
        )
    name = str(value.get("name"))
    if name not in CODECS:
        raise unknown_name(f"codec in {where}", name, list(CODECS))
    return CODECS[name].from_dict(value, where)


def save_codec(folder: Path | str, codec: Codec[Any]) -> Path:
    """Write `codec.json` into the folder; returns its path. A fitted tokenizer is published so: numbers, no code."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = Path(folder) / FILE
    write_text(path, json.dumps({"format": FORMAT, "codec": codec.to_dict()}) + "\n")
    return path


def load_codec(folder: Path | str) -> Codec[Any]:
    """What `save_codec` wrote. Errors: ReverieError that names the file and the entry."""
    path = Path(folder) / FILE
    try:
        value = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ReverieError(f"{path}: found no such file; give a folder that save_codec wrote") from error
    except ValueError as error:
        raise ReverieError(f"{path}: found broken JSON ({error}), expected a whole file; copy it again") from error
    if not isinstance(value, Mapping) or value.get("format") != FORMAT or "codec" not in value:
        raise ReverieError(f"{path}: found {str(value)[:80]}, expected format {FORMAT} and the entry 'codec'")
    return codec_from_dict(value["codec"], f"{path}, codec")
