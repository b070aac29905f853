"""Are two runs the same? Journals compared without timings and line order."""

from pathlib import Path
from typing import Any

from reverie.trials import lines
from reverie.trials.records import RECEIPTS, TRIALS, VERDICTS, Kind


def differences(first: Path, second: Path, limit: int = 20) -> list[str]:
    """What differs between two run folders, in words; empty where they hold the same records."""
    found = [d for kind in (TRIALS, VERDICTS, RECEIPTS) for d in _differences(kind, first, second)]
    return found[:limit]


def _differences(kind: Kind[Any], first: Path, second: Path) -> list[str]:
    left, right = _contents(kind, first), _contents(kind, second)
    found = [f"{kind.file}: {key} only in {first}" for key in left.keys() - right.keys()]
    found += [f"{kind.file}: {key} only in {second}" for key in right.keys() - left.keys()]
    for key in left.keys() & right.keys():
        fields = sorted(f for f in left[key].keys() | right[key].keys() if left[key].get(f) != right[key].get(f))
        if fields:
            found.append(f"{kind.file}: {key} differs in {', '.join(fields)}")
    return sorted(found)


def _contents(kind: Kind[Any], folder: Path) -> dict[Any, dict[str, Any]]:
    read = lines.read(folder / kind.file)
    return {kind.key(kind.parse(line.record)): kind.without_timing(line.record) for line in read}
