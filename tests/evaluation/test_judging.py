"""Judges that are asked in words, inside a run: what they said, what they could not, and what is asked again."""

import pytest
from runs import FRAMES, RECORDED, TRUE, reach, run
from tests.judges.vlm.chat_server import BAD, GOOD, chat_server, fails, says

from reverie.cli.main import main
from reverie.core import Outcome, ReverieError
from reverie.evaluation.judging import judge_again
from reverie.evaluation.outcomes import View, read_outcomes
from reverie.evaluation.resolve import load_judge
from reverie.trials import RECEIPTS, VERDICTS

SMALL = {"policies": (reach(0.9),), "worlds": (TRUE,), "scenes": ("fake:2",), "n_steps": 8, "block_size": 1}


def spec_of(server) -> str:
    return f"vlm:{server.url}?model=toy&votes=1&tries=1&backoff_s=0.01&parallel=1"


def outcomes(folder, judge="vlm:toy"):
    (cells,) = read_outcomes(folder).outcomes[View("true", judge)].values()
    return [cells[c] for c in sorted(cells)]


def test_a_run_is_judged_while_it_is_made_and_the_prompt_is_stored(tmp_path):
    with chat_server(says(GOOD), says("no idea")) as server:
        run(tmp_path, judges=(RECORDED, spec_of(server)), **SMALL)
    assert outcomes(tmp_path) == [Outcome.SUCCESS, Outcome.NOT_SCORED]
    (about,) = [r.content["judge"] for r in RECEIPTS.read(tmp_path) if "judge" in r.content]
    assert "highest level" in about["prompt"]
    versions = {v.verdict.judge_version for v in VERDICTS.read(tmp_path) if v.verdict.judge == "vlm:toy"}
    assert versions == {about["version"]}


def test_a_run_goes_on_without_the_model_and_asks_it_later(tmp_path):
    with chat_server(fails(503), fails(503), fails(503), says(BAD), says(GOOD)) as server:
        spec = spec_of(server)
        run(tmp_path, judges=(RECORDED, spec), **SMALL)
        assert outcomes(tmp_path) == [Outcome.NOT_SCORED] * 2
        with pytest.raises(ReverieError, match="0 of 2 trials were judged"):
            judge_again(tmp_path, load_judge(spec))
        found = judge_again(tmp_path, load_judge(spec))
        assert (found.verdicts, found.unheard) == (2, 0)
        assert judge_again(tmp_path, load_judge(spec)).verdicts == 0
        assert len(server.asked) == 5
    assert outcomes(tmp_path) == [Outcome.FAILURE, Outcome.SUCCESS]


def test_the_verb_judges_a_finished_run(tmp_path, capsys):
    run(tmp_path, judges=(RECORDED,), **SMALL)
    with chat_server(says(GOOD)) as server:
        assert main(["judge", str(tmp_path), "--judges", spec_of(server), FRAMES]) == 0
    assert outcomes(tmp_path) == [Outcome.SUCCESS] * 2
    assert "vlm:toy" in (tmp_path / "report.html").read_text()
