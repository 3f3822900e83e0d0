"""The explorer's core from Python, without Streamlit: how warm may the model be?

Zimmermann et al. 2021, Theorem 2, asks for tau = 1 / kappa. Trains nine small encoders on the CPU
(some seconds), compares scores with baselines, and turns one run's latents back by hand.

    .venv/bin/python -m docs.from_python
"""

import numpy as np
from scipy.linalg import orthogonal_procrustes

from core.run.experiment import Experiment, groups
from core.run.worker import train_group
from core.scenarios import SCENARIOS
from core.scenarios.infonce import InfoNCE


def main() -> None:
    scenario = SCENARIOS["infonce"]
    params = InfoNCE(kappa=10.0, steps=300)
    experiment = Experiment(params, scenario.name, seeds=(0, 1, 2), vary={"tau": (0.01, 0.1, 1.0)})
    results = {}
    for group in groups(experiment.members):  # runs of equal shape train as one program
        for result in train_group(group, device="cpu"):
            results[result.member.key] = result

    print("tau     linear R2 by seed       raw x")
    for tau in experiment.vary["tau"]:
        runs = [results[m.key] for m in experiment.members if m.params.tau == tau]
        scores = "  ".join(f"{run.scores['linear_r2']:.3f}" for run in runs)
        raw = np.mean([run.scores["raw_linear_r2"] for run in runs])
        print(f"{tau:<6}  {scores}     {raw:.3f}")

    promise = scenario.promise(params)
    print(f"promised where tau = 1 / kappa: {promise.score} >= {promise.bound}, {promise.source}")
    run = results[Experiment(params, scenario.name, (0,)).members[0].key]
    turn, _ = orthogonal_procrustes(run.z_hat[-1], run.z)  # points (n, d) of the last frame
    print(f"largest error after the best turn: {np.abs(run.z_hat[-1] @ turn - run.z).max():.2f}")


if __name__ == "__main__":
    main()
