"""The same from a shell: a document or a line a member, and one clear sentence when it is wrong."""

import json
import shlex

import pytest
import torch
from shell import told

import core.__main__ as shell
from core import curate, verdicts
from core.__main__ import asked
from core.bench import speeds
from core.claimed import CLAIMS
from core.claims.claim import Runs
from core.command import command
from core.lessons import LESSONS
from core.papers import TABLES
from core.papers import command as papers
from core.run.archive import Gallery
from core.run.experiment import Experiment, Member
from core.run.store import Store
from core.scenarios import SCENARIOS

NAMES = {
    "linear_r2", "orthogonal_r2", "mcc", "singular_value_mae", "degree", "loss", "loss_floor",
    "raw_linear_r2", "raw_mcc", "untrained_linear_r2", "untrained_mcc",
    "null_linear_r2", "null_orthogonal_r2", "null_mcc", "linear_r2_low", "linear_r2_high",
}  # fmt: skip
QUICK = ["--steps", "6", "--batch", "32", "--inline"]


def test_a_shipped_run_prints_the_scores_under_their_names(capsys):
    status, out, _ = told(capsys, "run", "infonce", "--seeds", "0", "1", "2", "--json")
    document = json.loads(out)
    assert status == 0 and set(document) == {"members", "device", "seconds", "cpu_seconds"}
    assert [member["seed"] for member in document["members"]] == [0, 1, 2]
    for member in document["members"]:
        assert set(member) == {"scenario", "params", "seed", "scores", "steps", "cached"}
        assert set(member["scores"]) == NAMES
        assert member["scores"]["linear_r2"] >= 0.99
        assert (member["steps"], member["cached"]) == (400, True)


def test_the_clusters_that_are_shipped_answer_at_once(capsys):
    for more in ((), ("--supervision", "instance", "--n-instances", "300")):
        flags = ("--case", "C4", "--d", "3", "--n-clusters", "30", *more)
        _, out, _ = told(capsys, "run", "clusters", *flags, "--seeds", "0", "1", "2", "--json")
        for member in json.loads(out)["members"]:
            assert member["cached"]
            assert min(member["scores"][name] for name in ("linear_r2", "v_r2")) >= 0.99


def test_a_run_is_trained_once_and_again_when_fresh(capsys):
    cached = []
    for more in ([], [], ["--fresh"]):
        _, out, _ = told(capsys, "run", "infonce", *QUICK, "--seeds", "5", "--json", *more)
        document = json.loads(out)
        cached.append(document["members"][0]["cached"])
        assert (document["cpu_seconds"] > 0) == (not cached[-1])
    assert cached == [False, True, False]


def test_by_default_the_engines_workers_train_and_what_is_fresh_is_kept(capsys, monkeypatch):
    monkeypatch.setenv("EXPLORER_WORKERS", "1")
    by_engine = ["run", "infonce", "--steps", "7", "--batch", "32", "--seeds", "6", "--json"]
    member = Member.of("infonce", {"steps": 7, "batch": 32}, 6)
    seen = []
    for more in ([], [], ["--fresh"]):
        _, out, _ = told(capsys, *by_engine, *more)
        (row,) = json.loads(out)["members"]
        kept = Store().get(member)
        seen.append((row["cached"], row["scores"], kept.provenance["seconds"]))
    (first, scores, took), again, fresh = seen
    assert not first and again == (True, scores, took)
    assert fresh[:2] == (False, scores) and fresh[2] != took  # trained anew, and it is stored
    here, _, _ = told(capsys, *by_engine, "--inline", "--fresh")
    assert here == 0 and Store().get(member).scores == scores  # to the bit, wherever it is trained


def test_a_request_over_a_bound_is_a_sentence(capsys, monkeypatch):
    monkeypatch.setenv("EXPLORER_WORKERS", "1")
    for name, value, words in (
        ("EXPLORER_MOST_SECONDS", "2", "This would train for about"),
        ("EXPLORER_MOST_SECONDS", "soon", "EXPLORER_MOST_SECONDS='soon'"),
    ):
        monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            shell.main(["run", "infonce", "--steps", "49999", "--seeds", "5"])
        told = capsys.readouterr()
        assert ended.value.code == 2 and told.err.startswith(f"error: {words}")
        assert told.err.count("\n") == 1 and not told.out


def test_a_sweep_gives_a_member_for_every_value_and_seed(capsys):
    _, out, _ = told(
        capsys,
        "sweep",
        "infonce",
        *QUICK,
        "--vary",
        "tau=none,0.5",
        "d=2,3",
        "--seeds",
        "0",
        "--json",
    )
    rows = [(m["params"]["tau"], m["params"]["d"]) for m in json.loads(out)["members"]]
    assert rows == [(None, 2), (None, 3), (0.5, 2), (0.5, 3)]


def test_without_json_there_is_a_line_a_member_and_what_they_cost(capsys):
    _, out, _ = told(capsys, "run", "infonce", "--seeds", "0", "1")
    lines = out.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("infonce seed=1: linear_r2=0.99")
    assert lines[2] == "0 trained in 0.0 s (0.0 CPU-s), 2 stored"


def test_list_names_every_scenario_and_parameter(capsys):
    _, out, _ = told(capsys, "list")
    for scenario in SCENARIOS.values():
        assert f"{scenario.name}: {scenario.title}" in out
        for name in scenario.Params.model_fields:
            assert f"--{name.replace('_', '-')} " in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("run infonce --kappa -3", "--kappa: should be greater than or equal to 0.1"),
        ("run infonce --kappa abc", "--kappa: should be a number (not 'abc')"),
        ("run infonce --kappa nan", "--kappa: should be a finite number"),
        ("run infonce --d 1", "--d: should be greater than or equal to 2"),
        ("run infonce --d-x 2", "--d-x: must be at least d, or x could not determine z"),
        ("run infonce --seeds", "--seeds: give at least one"),
        ("run infonce --seeds -1", "--seeds: must be 0 or larger"),
        ("run infonce --seeds x", "--seeds: invalid int value: 'x'"),
        ("run infonce --kappa", "--kappa: expected one argument"),
        ("run infonce --unheard 3", "unrecognized arguments: --unheard 3"),
        ("run infonce --negatives foo", "--negatives: should be 'views' or 'anchors' (not 'foo')"),
        ("run nothing", "'nothing' is not one of infonce"),
        ("run", "nothing is not one of infonce"),
        ("sweep infonce", "--vary: name a parameter and its values"),
        ("sweep infonce --vary kappa=1,-3", "--vary: kappa should be greater than or equal to 0.1"),
        ("sweep infonce --vary lambda=1", "'lambda=1' should read FIELD=A,B,C"),
        ("export infonce", "the following arguments are required: --out"),
        ("bench --unheard", "unrecognized arguments: --unheard"),
        ("bench --cluster 0", "--cluster: must be from 1 to 256"),
        pytest.param(
            "bench --device cuda",
            "--device: there is no GPU here",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is one"),
        ),
        ("gallery burn", "gallery: say build or check"),
        ("dance", "'dance' is not one of list, run, sweep, export, bench"),
        ("run infonce --seeds " + " ".join(map(str, range(121))), "121 runs are more than the 120"),
    ],
    ids=lambda value: value[:40],
)
def test_bad_parameters_give_one_clear_sentence_and_status_2(capsys, arguments, sentence):
    status, out, err = told(capsys, *arguments.split())
    assert (status, out) == (2, "")
    assert err.count("\n") == 1 and err.startswith("error: ")
    assert sentence in err


@pytest.mark.parametrize("text", ["-1", "-.3", "-1e-05", "-0.25e0"])
def test_a_negative_number_is_a_value_and_no_flag(text):
    _, experiment = asked("run", ["reversal", "--lam", text.lower(), "--seeds", "0"])
    assert experiment.params.lam == float(text)


TRAINS = {  # further verbs that train, and what gets the device
    "gallery build": (curate, "build"),
    "claims --retrain --seeds 100": (verdicts, "train"),
    "papers clusters-2 --fresh --seeds 0": (papers, "retrain"),
    "bench": (speeds, "measure"),
}


@pytest.mark.parametrize("words", TRAINS)
def test_a_device_is_named_by_a_flag_or_the_environment(words, capsys, monkeypatch):
    place, name = TRAINS[words]
    told_ = []
    monkeypatch.setattr(place, name, lambda *given, **named: told_.append((given, named)) or {})
    for variable, flags in (("cpu", []), ("cuda", ["--device", "cpu"])):
        monkeypatch.setenv("EXPLORER_DEVICE", variable)
        assert told(capsys, *words.split(), *flags)[0] in (0, 1)
        given, named = told_.pop()
        if words != "bench":  # whose other measure is of a GPU
            assert "cpu" in (*given, *named.values())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.parametrize("words", TRAINS)
def test_a_gpu_that_is_not_there_is_said_by_every_verb_that_trains(words, capsys, monkeypatch):
    place, name = TRAINS[words]
    monkeypatch.setattr(place, name, lambda *_, **named: pytest.fail("it trains"))
    status, _, err = told(capsys, *words.split(), "--device", "cuda")
    assert status == 2 and err.endswith("error: --device: there is no GPU here, or the torch that "
                                        "is installed uses none\n")  # fmt: skip
    monkeypatch.setenv("EXPLORER_DEVICE", "cuda")
    status, _, err = told(capsys, *words.split())
    assert status == 2 and "error: there is no GPU here" in err


def test_the_gallery_is_whole(capsys):
    status, out, err = told(capsys, "gallery", "check")
    assert (status, err) == (0, "")
    bill = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert bill.keys() == curate.bill().keys()
    for name, size in curate.bill().items():
        assert bill[name].strip() == f"{size / 1e6:.2f} MB"


# ---- the command that a page shows


def shipped_settings():
    """Every experiment that a page sets up: presets, sweeps, rows of papers, claims."""
    for page, lesson in LESSONS.items():
        for each in (*lesson.presets, *lesson.sweeps):
            params = lesson.Params.model_validate(dict(each.params))
            vary = getattr(each, "vary", {})
            yield page, Experiment(params, lesson.name, each.seeds, vary)
    for table in TABLES.values():
        for row in table.rows:
            for column in table.of(row):
                yield row.lesson, row.experiment(column)
    for claim in CLAIMS.values():
        for group in claim.evidence.values():
            if isinstance(group, Runs):
                name = LESSONS[group.lesson].name
                yield group.lesson, Experiment(group.setting, name, group.seeds, group.vary)


def read_back(line: str) -> Experiment:
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "core"]
    return asked(words[3], words[4:])[1]


@pytest.mark.parametrize("page", LESSONS)
def test_the_command_of_every_shipped_setting_asks_for_the_same_runs(page):
    found = [experiment for of, experiment in shipped_settings() if of == page]
    assert found
    for experiment in found:
        assert read_back(command(experiment)).key == experiment.key, command(experiment)


def test_a_command_writes_values_in_full():
    params = SCENARIOS["clusters"].Params(
        conditional="gennorm", spread=2**0.5, project=False, truncation=1.5, label_noise=0.1
    )
    line = command(Experiment(params, "clusters", (0, 3)))
    assert "--spread 1.4142135623730951" in line and "--no-project" in line
    assert "--truncation 1.5" in line and line.endswith("--seeds 0 3")
    game = SCENARIOS["reversal"].Params(n_samples=None, lam=-1.0, moves="aae")
    line = command(Experiment(game, "reversal", (1,), {"d_z": (None, 1)}))
    for words in ("--n-samples none", "--lam -1 ", "--moves aae", "--vary d_z=none,1"):
        assert words in line
    assert read_back(line).key == Experiment(game, "reversal", (1,), {"d_z": (None, 1)}).key


@pytest.mark.parametrize(
    ("page", "preset"),
    [("infonce_sphere", "circle"), ("gradient_reversal", "align"),
     ("laplace_violation", "truncated")],
)  # fmt: skip
def test_the_command_of_a_cheap_preset_gives_the_shipped_scores(capsys, page, preset):
    lesson = LESSONS[page]
    shown = next(p for p in lesson.presets if p.name == preset)
    one = Experiment(lesson.Params.model_validate(dict(shown.params)), lesson.name, (0,))
    words = shlex.split(command(one))[3:]
    status, out, _ = told(capsys, *words, "--inline", "--fresh", "--json")
    (member,) = json.loads(out)["members"]
    assert status == 0 and not member["cached"]
    shipped = Gallery().read(one.members[0])
    score = lesson.promise(one.params).score
    tolerance = 1.0 if score.endswith("_deg") else 2e-3  # across machines
    assert member["scores"][score] == pytest.approx(shipped.scores[score], abs=tolerance)
