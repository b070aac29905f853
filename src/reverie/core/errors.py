"""The errors a user is meant to read: what was found, what was expected, what to do."""


class ReverieError(Exception):
    """Bad input. The message names the file or option, what was found, what was expected and what to do."""


class SpecMismatch(ReverieError):
    """A policy and a world (or a data set) do not speak the same language; every difference is listed."""


def unknown_name(what: str, name: str, known: "list[str] | tuple[str, ...]") -> ReverieError:
    """An error for a name that is in no table, with the nearest names."""
    import difflib

    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(repr(n) for n in near)}? " if near else ""
    return ReverieError(f"unknown {what} {name!r}; {hint}known: {', '.join(sorted(known))}")
