"""The same from a shell: a document or a line a member, and one clear sentence when it is wrong."""

import json

import pytest

from core.__main__ import main
from core.scenarios import SCENARIOS

NAMES = {
    "linear_r2", "orthogonal_r2", "mcc", "singular_value_mae", "degree", "loss", "loss_floor",
    "raw_linear_r2", "raw_mcc", "untrained_linear_r2", "untrained_mcc",
}  # fmt: skip
QUICK = ["--steps", "6", "--batch", "32", "--inline"]


def told(capsys, *arguments: str) -> tuple[int, str, str]:
    try:
        status = main(arguments)
    except SystemExit as leave:
        status = leave.code
    out, err = capsys.readouterr()
    return status, out, err


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
        ("run infonce --kappa abc", "--kappa: could not convert string to float: 'abc'"),
        ("run infonce --kappa nan", "--kappa: should be a finite number"),
        ("run infonce --d 1", "--d: should be greater than or equal to 2"),
        ("run infonce --d-x 2", "--d-x: must be at least d, or x could not determine z"),
        ("run infonce --seeds", "--seeds: give at least one"),
        ("run infonce --seeds -1", "--seeds: must be 0 or larger"),
        ("run infonce --seeds x", "--seeds: invalid int value: 'x'"),
        ("run infonce --unheard 3", "Unrecognized options: --unheard"),
        ("run infonce --negatives foo", "invalid choice 'foo' for argument '--negatives'"),
        ("run nothing", "'nothing' is not one of infonce"),
        ("run", "nothing is not one of infonce"),
        ("sweep infonce", "--vary: name a parameter and its values"),
        ("sweep infonce --vary kappa=1,-3", "--vary: kappa should be greater than or equal to 0.1"),
        ("sweep infonce --vary lambda=1", "'lambda=1' should read FIELD=A,B,C"),
        ("bench --unheard", "unrecognized arguments: --unheard"),
        ("gallery burn", "gallery: say build or check"),
        ("dance", "'dance' is not one of list, run, sweep, bench, gallery"),
        ("run infonce --seeds " + " ".join(map(str, range(121))), "121 runs are more than the 120"),
    ],
    ids=lambda value: value[:40],
)
def test_bad_parameters_give_one_clear_sentence_and_status_2(capsys, arguments, sentence):
    status, out, err = told(capsys, *arguments.split())
    assert (status, out) == (2, "")
    assert err.count("\n") == 1 and err.startswith("error: ")
    assert sentence in err


def test_the_gallery_is_whole(capsys):
    assert told(capsys, "gallery", "check") == (0, "", "")
