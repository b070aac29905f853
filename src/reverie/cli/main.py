"""reverie VERB ...: finds the verb, imports its file only then, and turns errors into messages.

A verb is a module with `main(arguments) -> int | None`. Bad input (ReverieError) and what the system refuses (OSError: no
permission, a full disk, a file where a folder should be) are one message on stderr and exit code 2; anything else is a
bug of ours and keeps its traceback.
"""

import errno
import importlib
import sys
from collections.abc import Mapping, Sequence

from reverie.core import ReverieError, unknown_name

VERBS: Mapping[str, tuple[str, str]] = {
    "demo": ("reverie.cli.demo", "evaluate the shipped policies in both worlds, in a few minutes"),
    "collect": ("reverie.cli.collect", "scripted demonstrations, mistakes and play in physics"),
    "data": ("reverie.cli.data", "import data sets of other formats; show what is in one"),
    "actions": ("reverie.cli.actions", "what action codecs lose on a data set: round-trip errors, a table and a page"),
    "train": ("reverie.cli.train", "fit a policy, a world or a judge"),
    "check": ("reverie.cli.check", "is a policy wired up right? signs, axes, rates, pictures, instruction, on logs"),
    "evaluate": ("reverie.cli.evaluate", "roll policies out in worlds, judge, rank, and write the report"),
    "compare": ("reverie.cli.compare", "who is better, how sure: one run or two; an exit code for CI"),
    "attend": ("reverie.cli.attend", "where a policy looks under two instructions, as one page"),
    "dream": ("reverie.cli.dream", "drive the robot inside the video world by keyboard, in a local page"),
    "judge": ("reverie.cli.judge", "judge the stored episodes of a run again"),
    "judges": ("reverie.cli.judges", "do the judges of a run agree? kappa and counts for every two"),
    "rate": ("reverie.cli.rate", "people judge the clips of a run, blind and by keyboard, in a local page"),
    "label": ("reverie.cli.label", "people label success and its moment in recorded episodes, in a local page"),
    "merge": ("reverie.cli.merge", "several runs as one"),
    "filter": ("reverie.cli.filter", "a part of a run as a run of its own"),
    "export": ("reverie.cli.export", "everything that a run recorded as one table, Parquet or CSV"),
    "real": ("reverie.cli.real", "real robot data: train on some takes, replay and predict the others"),
    "validity": (
        "reverie.cli.validity",
        "how well predicted success rates go with real ones, and what is not supported",
    ),
    "calibrate": (
        "reverie.cli.calibrate",
        "absolute success from few real trials and many dreamt ones; the next trials",
    ),
    "serve": ("reverie.cli.serve", "a policy behind a websocket that any openpi client can ask"),
    "report": ("reverie.cli.report", "rebuild a run's report from its records"),
}
"""verb -> (module, what it does)"""


def usage() -> str:
    width = max(map(len, VERBS))
    listed = "\n".join(f"  {verb:<{width}}  {what}" for verb, (_, what) in VERBS.items())
    return f"usage: reverie VERB [options]\n\n{listed}\n\n`reverie VERB --help` lists the options of a verb."


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    if given[0] == "--version":
        from importlib.metadata import version

        print(version("reverie"))
        return 0
    try:
        return run(given[0], given[1:])
    except ReverieError as error:
        print(f"reverie {given[0]}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.filename is None and error.errno != errno.ENOSPC:  # a closed pipe, or a library's own error
            raise
        where = f"{error.filename}: " if error.filename is not None else ""
        print(f"reverie {given[0]}: {where}{error.strerror}; give another path, or make it usable", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command again goes on where it stopped", file=sys.stderr)
        return 130


def run(verb: str, arguments: Sequence[str]) -> int:
    if verb not in VERBS:
        raise unknown_name("verb", verb, list(VERBS))
    return importlib.import_module(VERBS[verb][0]).main(arguments) or 0


if __name__ == "__main__":
    sys.exit(main())
