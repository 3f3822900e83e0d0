"""A run to take home: the file holds everything, and its scores are those of its arrays."""

import json
import shlex

import numpy as np
import pytest

from core import entropy, metrics
from core.__main__ import main
from core.command import command
from core.metrics import significance
from core.run.experiment import EVALUATED, Experiment
from core.run.worker import train_group
from core.scenarios import SCENARIOS
from core.whole import about

TINY = {
    "infonce": {"steps": 12, "batch": 32},
    "infonce_box": {"steps": 12, "batch": 32},
    "clusters": {"steps": 12, "batch": 32, "n_clusters": 6},
    "reversal": {"steps": 12, "d": 4, "rank": 1, "n_classes": 2},
    "invariance": {"steps": 6, "method": "two-stage", "batch": 32},
    "flows": {"steps": 4, "data": "arc", "batch": 32, "transforms": 2, "width": 8},
    "digits": {"steps": 4, "batch": 32, "transforms": 2, "width": 16},
    "auxiliary": {"steps": 12, "batch": 32, "method": "gcl"},
    "pixels": {"steps": 4, "batch": 32, "width": 16},
    "lejepa": {"steps": 6, "batch": 32, "width": 16},
    "probes": {"steps": 4, "batch": 32, "width": 16, "d_hat": 8},
}
HELD = {
    "infonce": {"z", "x", "z_hat", "f.weights.0", "f.skip", "g.lift", "g.weights.2"},
    "infonce_box": {"z", "x", "z_hat", "f.0.map", "f.1.skip", "f.2.log_bound", "g.weights.2"},
    "clusters": {"z", "x", "y", "z_hat", "v", "w", "beta", "cluster", "f.weights.0"},
    "reversal": {"z", "y", "z_hat", "v", "m", "inside", "outside", "adversary.weights.0"},
    "invariance": {"z", "x", "y", "z_hat", "f.weights.0", "inverse.weights.0", "g.weights.0"},
    "flows": {"z", "x", "z_hat", "latents", "jacobians"},
    "digits": {"x", "y", "z_hat", "latents", "jacobians", "f.basis"},
    "auxiliary": {"z", "s", "u", "x", "z_hat", "w", "b", "f.0.map", "f.1.skip", "a.1.weights.0"},
    "pixels": {"z", "x", "z_hat", "f.0.mean", "f.0.deviation", "f.1.weights.0"},
    "lejepa": {"z", "x", "z_hat", "f.weights.0", "f.skip"},
    "probes": {"images", "digits", "factors", "codes", "classifier.w", "classifier.f.weights.0"},
}


def score(scenario, arrays):
    """A score of each scenario, from a file's arrays alone."""
    if scenario == "digits":
        return "mtc_nats", entropy.total_correlation(arrays["jacobians"]).value
    if scenario == "probes":
        code, y = arrays["codes"], arrays["factors"][:, 0] >= 5
        rng = np.random.default_rng((4, 0))  # the seed, and which factor
        again = significance.resplit(code[997:1397].astype(float), y[997:1397], rng)
        return "accuracy_class", again.mean
    z, z_hat = arrays["z"], arrays["z_hat"]
    if scenario == "reversal":
        return "content_r2", metrics.linear_r2(z @ arrays["outside"].T, z_hat)
    if scenario == "invariance":
        return "content_r2", metrics.readout_r2(z, z_hat)
    return "linear_r2", metrics.linear_r2(z, z_hat)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_file_holds_the_whole_evaluation_set_and_its_scores_are_recomputed(
    scenario, tmp_path, capsys
):
    params = SCENARIOS[scenario].Params(**TINY[scenario])
    asked = Experiment(params, scenario, (4,))
    path = tmp_path / "taken home.npz"
    arguments = shlex.split(command(asked, "export", f"--out {shlex.quote(str(path))}"))[3:]
    assert main(arguments) == 0
    assert str(path) in capsys.readouterr().out
    with np.load(path, allow_pickle=False) as file:
        arrays = {name.removesuffix("_4"): file[name] for name in file.files}
    assert set(arrays) >= HELD[scenario]
    for name in {"z", "x", "y", "z_hat"} & set(arrays):
        assert len(arrays[name]) == EVALUATED
    name, found = score(scenario, arrays)
    told = about(path)
    assert found == pytest.approx(told["scores"]["4"][name], abs=1e-6)
    (printed,) = train_group(asked.members)
    assert printed.scores[name] == pytest.approx(found, abs=1e-6)
    assert str(EVALUATED // 1000) in told["contents"]
    json.dumps(told, allow_nan=False)


def test_the_weights_in_the_file_are_those_of_the_features(tmp_path):
    """f of the file's x, by hand, is the file's z_hat: a run can be used elsewhere."""
    path = tmp_path / "run.npz"
    assert main(["export", "infonce", "--steps", "5", "--batch", "16", "--seeds", "1", "--out",
                 str(path)]) == 0  # fmt: skip
    with np.load(path) as file:
        x, z_hat, skip = file["x_1"], file["z_hat_1"], file["f.skip_1"]
        hidden = x
        for depth in range(4):
            hidden = np.where(hidden < 0, 0.01 * hidden, hidden) if depth else hidden
            hidden = hidden @ file[f"f.weights.{depth}_1"] + file[f"f.biases.{depth}_1"]
    hidden = hidden + x @ skip
    hidden /= np.linalg.norm(hidden, axis=1, keepdims=True)
    np.testing.assert_allclose(hidden, z_hat, atol=1e-5)
