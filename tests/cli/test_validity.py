"""`reverie validity` and `reverie calibrate` as a user meets them: tables, runs, bad rows, and what is not supported."""

import json
import random
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "evaluation"))
from runs import FRAMES, RECORDED, reach, run

from reverie.cli.main import main
from reverie.evaluation.outcomes import View, read_outcomes
from reverie.evaluation.rate_table import read_rates
from reverie.evaluation.rates import scored
from reverie.evaluation.summary import summarise
from reverie.evaluation.validity import of_table
from reverie.report import write_report
from reverie.stats import mmrv, prediction_powered

HEADER = "task,policy,real,predicted,n\n"
GOOD = (
    HEADER
    + "put,a,0.9,0.7,20\nput,b,0.5,0.4,20\nput,c,0.2,0.3,20\npush,a,0.8,0.8,40\npush,b,0.55,0.3,40\npush,c,0.2,0.1,40\n"
)
POSE = "fake:FakeJudge?name=pose_only&near=0.4"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "first"
    policies = tuple(reach(s) for s in (0.95, 0.3, 0.1))
    run(folder, policies=policies, scenes=("fake:12", "fake:8,push"), judges=(FRAMES, RECORDED, POSE), controls=(POSE,), block_size=10)  # fmt: skip
    return folder


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(GOOD)
    return path


def output(capsys, *arguments):
    assert main([str(a) for a in arguments]) == 0
    return capsys.readouterr().out


def refused(capsys, *arguments):
    assert main([str(a) for a in arguments]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error


def test_policy_level_weighs_tasks_by_their_trials(capsys, table):
    found = json.loads(output(capsys, "validity", table, "--json"))
    real = np.array([[0.9, 0.5, 0.2], [0.8, 0.55, 0.2]])
    predicted = np.array([[0.7, 0.4, 0.3], [0.8, 0.3, 0.1]])
    weights = np.array([1 / 3, 2 / 3])
    assert found["pearson"] == pytest.approx(np.corrcoef(weights @ predicted, weights @ real)[0, 1])
    assert found["bias"] == pytest.approx((weights @ predicted - weights @ real).mean())
    assert found["per_task"]["put"]["pearson"] == pytest.approx(np.corrcoef(predicted[0], real[0])[0, 1])
    assert found["cells"]["pearson"] == pytest.approx(np.corrcoef(predicted.ravel(), real.ravel())[0, 1])
    centred = [side - side.mean(1, keepdims=True) for side in (predicted, real)]
    assert found["within_tasks"]["value"] == pytest.approx(np.corrcoef(centred[0].ravel(), centred[1].ravel())[0, 1])
    assert (found["n"], found["mmrv"], found["regret"], found["top_one"]) == (3, 0, 0, 1)
    assert found["detail"]["mmrv_from_noise"]["value"] > 0
    assert found["cells"]["detail"]["pearson"]["p"]["value"] is None
    assert len(found["detail"]["conventions"]) == 6
    assert found["mmrv"] == mmrv(weights @ predicted, weights @ real).value


def test_percents_are_the_same_table(tmp_path):
    (tmp_path / "percent.csv").write_text("task,policy,real,predicted\nput,a,90,70\nput,b,50,40\nput,c,20,0\n")
    (tmp_path / "rates.csv").write_text(
        "# a comment\n\ntask,policy,real,predicted\nput,a,.9,.7\nput,b,.5,.4\nput,c,.2,0\n"
    )
    first, second = (read_rates(tmp_path / name) for name in ("percent.csv", "rates.csv"))
    for side in ("real", "predicted"):
        assert [getattr(r, side) for r in first] == pytest.approx([getattr(r, side) for r in second])
    assert [r.line for r in second] == [4, 5, 6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task,policy,real\nput,a,1\n", "line 1: found columns task, policy, real, missing predicted"),
        (HEADER, "found no rows"),
        ("", "missing task, policy, real, predicted"),
        (HEADER + "put,a,0.5,0.4,20\nput,b,nan,0.4,20\n", "line 3: real is 'nan', expected a number"),
        (HEADER + "put,a,0.5,inf,20\n", "line 2: predicted is 'inf'"),
        (HEADER + "put,a,,0.4,20\n", "line 2: real is empty"),
        (HEADER + "put,a,0.5,0.4,20\nput,b,1.2,0.4,20\n", "line 3: real is 1.2, outside [0, 1], while line 2 has real 0.5"),
        (HEADER + "put,a,-0.5,0.4,20\n", "line 2: real is -0.5"),
        (HEADER + "put,a,50,101,20\n", "line 2: predicted is 101"),
        (HEADER + "put,a,1,50,20\nput,b,0,40,20\n", "outside [0, 1], while no real rate is above 1"),
        (HEADER + "put,a,0.5,0.4,20\nput,a,0.6,0.4,20\n", "lines 2 and 3: two rows for policy 'a' in task 'put'"),
        (HEADER + "put,a,0.5,0.4,0\n", "line 2: n is '0', expected a whole number of at least 1"),
        (HEADER + "put,a,0.5,0.4,2.5\n", "line 2: n is '2.5'"),
        (HEADER + "put,a,0.5,0.4,20\nput,b,0.5,0.4,\n", "line 3: n is empty, line 2 has one"),
        (HEADER + "put,a,0.5,0.4\n", "line 2: found 4 fields, the header has 5"),
        ("task,policy,real,predicted,real\nput,a,1,1,1\n", "two columns are named real"),
    ],
)  # fmt: skip
def test_bad_rows_name_file_and_line(capsys, tmp_path, text, message):
    (tmp_path / "bad.csv").write_text(text)
    error = refused(capsys, "validity", tmp_path / "bad.csv")
    assert f"{tmp_path / 'bad.csv'}" in error
    assert message in error


def test_other_bad_input(capsys, table, tmp_path, folder):
    assert "No such file" in refused(capsys, "validity", tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"task\xff\xfe")
    assert "not a text file" in refused(capsys, "validity", tmp_path / "bytes.csv")
    assert "not the folder of a run" in refused(capsys, "validity", tmp_path)
    assert "--view is for a run" in refused(capsys, "validity", table, "--view", "x")
    assert "unknown view 'x'" in refused(capsys, "validity", folder, "--view", "x")
    assert "--published is for a table" in refused(capsys, "validity", folder, "--published", table)


def said(capsys, tmp_path, rows):
    (tmp_path / "t.csv").write_text(rows)
    return output(capsys, "validity", tmp_path / "t.csv")


def test_it_says_what_is_not_supported(capsys, tmp_path):
    plain = "task,policy,real,predicted\n"
    few = said(capsys, tmp_path, plain + "t,a,0.9,0.8\nt,b,0.2,0.3\n")
    assert "2 stand behind it" in few
    assert "no correlation to report: 2 policies" in few
    assert "the table gives no n" in few
    narrow = said(capsys, tmp_path, plain + "".join(f"t,p{i},{0.5 + i / 50},{0.4 + i / 50}\n" for i in range(5)))
    assert "real rates span 8 points only" in narrow
    assert "Absolute success: predictions are -10 points" in narrow
    tied = said(capsys, tmp_path, plain + "t,a,0.2,0.5\nt,b,0.6,0.5\nt,c,0.3,0.1\nt,d,0.9,0.9\n")
    assert "predicted rates are tied, and conventions give" in tied
    one = said(capsys, tmp_path, plain + "t,a,0.2,0.1\nt,b,0.1,0.2\nt,c,0.15,0.15\nt,d,0.12,0.22\nt,e,0.95,0.9\n")
    assert re.search(r"r of 0\.9\d without e: then it is -", one)


def test_it_says_what_trial_noise_permits(capsys, tmp_path):
    rows = [(i, 0.1 + 0.08 * i) for i in range(10)]
    same = HEADER + "".join(f"t,p{i},{r:.1f},{r:.1f},10\n" for i, r in rows)
    assert "That r of 1.000 is as it seems: even a perfect prediction" in said(capsys, tmp_path, same)
    assert "neighbours in it cannot be told apart" in said(capsys, tmp_path, same)
    impossible = HEADER + "t,a,0.85,0.5,7\nt,b,0.43,0.5,7\nt,c,0.14,0.1,7\n"
    text = said(capsys, tmp_path, impossible)
    assert "no count gives a / t (line 2)." in text


def test_policies_that_lack_a_task_are_left_out(capsys, tmp_path):
    text = said(capsys, tmp_path, GOOD + "put,d,0.5,0.5,20\n")
    assert "Over 3 policies" in text
    assert "Anything about d at policy level: they lack a task" in text
    nobody = said(capsys, tmp_path, "task,policy,real,predicted\nx,a,0.5,0.4\ny,b,0.5,0.4\n")
    assert "No policy has every task" in nobody


def test_the_figure_is_one_whole_file(capsys, table, tmp_path):
    out = output(capsys, "validity", table, "--figure", tmp_path / "v.html")
    page = (tmp_path / "v.html").read_text()
    assert out.strip().endswith("v.html")
    assert page.count("<svg") == page.count("</svg>") == 3
    assert not re.findall(r"https?://|src=|href=", page)
    assert "What they do not support" in page
    assert not re.search(r"\b(nan|None)\b", re.sub(r"<style>.*</style>", "", page, flags=re.S))


def test_a_run_agrees_with_its_report(capsys, folder):
    found = json.loads(output(capsys, "validity", folder, "--json"))
    compared = next(c for c in summarise(folder).comparisons if c.view == View("dream", "fake_frames"))
    detail = found["detail"]
    for kind in ("pearson", "spearman"):
        reported = getattr(compared, kind)
        assert detail[kind]["over_policies"] == reported.over_policies.to_dict()
        assert detail[kind]["over_trials"] == reported.over_trials.to_dict()
        assert detail[kind]["p"] == reported.p.to_dict()
        assert detail[kind]["drop_one"] == reported.drop_one.to_dict()
    for name in ("mmrv", "mmrv_over_trials", "mmrv_from_noise", "bias"):
        assert detail[name] == getattr(compared, name).to_dict()
    assert found["regret"] == compared.choice.regret
    assert set(found["per_task"]) == {"reach", "push"}
    assert found["cells"]["n"] == 6
    control = json.loads(output(capsys, "validity", folder, "--json", "--view", "dream, judged by pose_only"))
    assert control["source"] == "dream, judged by pose_only"


def test_a_run_and_its_table_say_the_same(folder, tmp_path):
    """Exported by hand, the rates give the run's own statistics."""
    summary = summarise(folder)
    view, truth = View("dream", "fake_frames"), summary.table.truth
    by = {(r.view, r.policy): r for r in summary.rates}
    lines = [
        f"{task},{p},{by[truth, p].by_task[task].value:.6f},{by[view, p].by_task[task].value:.6f},{by[truth, p].by_task[task].n}"
        for p in summary.table.policies
        for task in ("reach", "push")
    ]
    (tmp_path / "t.csv").write_text(HEADER + "\n".join(lines) + "\n")
    found = of_table(read_rates(tmp_path / "t.csv"), "t")
    compared = next(c for c in summary.comparisons if c.view == view)
    assert found.overall.pearson.over_policies.value == pytest.approx(compared.pearson.over_policies.value, abs=1e-4)
    assert found.overall.mmrv.value == pytest.approx(compared.mmrv.value, abs=1e-4)
    assert found.overall.bias.value == pytest.approx(compared.bias.value, abs=1e-4)


@pytest.fixture
def trials(folder, tmp_path):
    """Real trials of 12 of the 20 scenes, of all policies: the run's truth as somebody's log."""
    found = read_outcomes(folder)
    scenes = random.Random(0).sample([s.id for s in found.plan.scenes], 12)
    lines = [
        f"{p},{c[0]},{int(o)}"
        for p in found.policies
        for c, o in scored(found.outcomes[found.truth][p]).items()
        if c[0] in scenes
    ]
    path = tmp_path / "trials.csv"
    path.write_text("policy,scene,success\n" + "\n".join(lines) + "\n")
    return path


def test_calibrate_is_ppi_over_scenes(capsys, folder, trials):
    found = json.loads(output(capsys, "calibrate", folder, "--real", trials, "--json", "--more", "6"))
    table = read_outcomes(folder)
    policy = table.policies[1]
    dreamt = {c[0]: float(o) for c, o in scored(table.outcomes[View("dream", "fake_frames")][policy]).items()}
    real = {
        line.split(",")[1]: float(line.split(",")[2])
        for line in trials.read_text().splitlines()[1:]
        if line.startswith(f"{policy},")
    }
    pairs, rest = sorted(real), sorted(dreamt.keys() - real.keys())
    expected = prediction_powered([real[s] for s in pairs], [dreamt[s] for s in pairs], [dreamt[s] for s in rest])
    assert found["policies"][policy]["powered"] == json.loads(json.dumps(expected.to_dict()))
    assert found["policies"][policy]["powered"]["estimate"]["n"] == 12
    assert found["pooled"]["n"] == 12
    assert (
        found["pooled_guaranteed"]["high"] - found["pooled_guaranteed"]["low"]
        > found["pooled"]["high"] - found["pooled"]["low"]
    )
    planned = found["following"]["scenes"]
    assert sum(map(len, planned.values())) == 6
    assert not {s for scenes in planned.values() for s in scenes} & set(real)


def test_calibrate_in_words(capsys, folder, trials):
    text = output(capsys, "calibrate", folder, "--real", trials)
    assert "from 12 real scenes, worth" in text
    assert "certain at so few" in text
    assert "held out by policy: absolute error" in text
    assert "if real scenes were not a random draw" in text


def test_calibrate_from_the_runs_own_truth(capsys, folder):
    text = output(capsys, "calibrate", folder)
    assert "Every dreamt scene has a real trial" in text
    assert "from 20 real scenes, worth 20" in text


def test_trials_of_a_task_only_are_not_paired(capsys, folder, tmp_path):
    policy = read_outcomes(folder).policies[0]
    (tmp_path / "t.csv").write_text(
        f"policy,task,success,replicate\n{policy},reach,1,0\n{policy},reach,0,\n{policy},push,1,2\n"
    )
    text = output(capsys, "calibrate", folder, "--real", tmp_path / "t.csv")
    assert "of 3 real trials alone" in text
    assert "no real trial in a dreamt scene" in text
    assert "Absolute success of" in text


def test_bad_trials_name_file_and_line(capsys, folder, tmp_path):
    policy, scene = read_outcomes(folder).policies[0], read_outcomes(folder).plan.scenes[0].id
    cases = [
        (f"policy,scene,success\n{policy}x,{scene},1\n", f"line 2: unknown policy '{policy}x'; did you mean '{policy}'"),
        (f"policy,scene,success\n{policy},{scene}0,1\n", "line 2: unknown scene"),
        (f"policy,task,success\n{policy},reech,1\n", "line 2: unknown task 'reech'; did you mean 'reach'"),
        (f"policy,scene,success\n{policy},{scene},yes\n", "line 2: success is 'yes', expected 0 or 1"),
        (f"policy,scene,task,success\n{policy},{scene},push,1\n", f"scene '{scene}' is of task 'reach', found task 'push'"),
        (f"policy,scene,task,success\n{policy},,,1\n", "found neither scene nor task"),
        (f"policy,scene,success,replicate\n{policy},{scene},1,0\n{policy},{scene},0,0\n", "lines 2 and 3: two outcomes"),
        (f"policy,scene,success,replicate\n{policy},{scene},1,-1\n", "replicate is '-1'"),
        ("policy,scene,success\n", "found no trials"),
        ("policy,scene\n", "missing success"),
    ]  # fmt: skip
    for text, message in cases:
        (tmp_path / "bad.csv").write_text(text)
        error = refused(capsys, "calibrate", folder, "--real", tmp_path / "bad.csv")
        assert message in error
        assert "bad.csv" in error
    assert "--target 0.9" in refused(capsys, "calibrate", folder, "--target", "0.9")
    assert "unknown view" in refused(capsys, "calibrate", folder, "--view", "x")


def test_what_was_calibrated_stands_in_the_report(capsys, folder, trials, tmp_path):
    mine = tmp_path / "run"
    shutil.copytree(folder, mine, ignore=shutil.ignore_patterns("calibration.json"))
    assert 'id="absolute"' not in write_report(mine).read_text()
    printed = output(capsys, "calibrate", mine, "--real", trials, "--more", "6", "--target", "0.05")
    assert printed.splitlines()[-1] == str(mine / "report.html")
    (mine / "report.html").unlink()
    page = write_report(mine).read_text()
    found = json.loads(output(capsys, "calibrate", mine, "--real", trials, "--more", "6", "--target", "0.05", "--json"))
    assert "Real trials (trials.csv) and 20 dreamt scenes (dream, judged by fake_frames)" in page
    assert "more real trials for ±5 points" in page
    for name, policy in found["policies"].items():
        estimate = policy["powered"]["estimate"]
        assert f"{round(100 * estimate['value'])} % [{round(100 * estimate['low'])}, {round(100 * estimate['high'])}]<br><small>n = 12 real; certain at so few" in page  # fmt: skip
        assert f'<td class="num">{policy["powered"]["effective_n"]:.0f} real trials</td>' in page
        dreams, alone = (n - 12 if n else "above 100,000" for n in found["following"]["needed"][name])
        assert f"{dreams} (without dreams {alone})" in page
    assert all(s in page for scenes in found["following"]["scenes"].values() for s in scenes)
    output(capsys, "calibrate", mine)
    assert "Real trials (the run&#39;s own truth)" in write_report(mine).read_text()


def test_a_calibration_that_does_not_fit_the_run_is_one_error(capsys, folder, trials, tmp_path):
    mine = tmp_path / "run"
    shutil.copytree(folder, mine)
    output(capsys, "calibrate", mine, "--real", trials)
    record = mine / "calibration.json"
    text = record.read_text()
    record.write_text(text.replace('"policy": "reach0.3"', '"policy": "gone"'))
    assert "no policy 'gone'" in refused(capsys, "report", mine)
    record.write_text(text.replace('"judge": "fake_frames"', '"judge": "nobody"'))
    assert "calibration.json: no trials of world dream judged by nobody" in refused(capsys, "report", mine)
    record.write_text(text[:-20])
    assert "calibration.json: not a calibration record" in refused(capsys, "report", mine)
