"""Defects put in on purpose, each of which some test must see: `make mutate`.

Every edit is made in a copy of the project, the tests named beside it are run, and the edit is
taken back. The last line says how many were seen. Words on the command line choose edits by file.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPIED = ("app.py", "core", "ui", "pages", "docs", "tests", "pyproject.toml", ".streamlit")
FIGURES = "test_figures.py test_drawn.py"
LONGEST = 600  # seconds of one edit's tests


@dataclass(frozen=True)
class Edit:
    """One defect: `old`, which stands once in `file`, becomes `new`; `tests` go to pytest."""

    file: str
    old: str
    new: str
    tests: str


EDITS = (
    # scores of anybody's codes
    Edit("core/metrics/resampling.py", "z_hat[rng.permutation(len(z))]", "z_hat",
         "test_scores.py"),
    Edit("core/metrics/resampling.py", "1 - inside**codes", "1 - inside", "test_scores.py"),
    Edit("core/metrics/resampling.py", "each[best_matching(each)].mean()", "each.max(0).mean()",
         "test_scores.py -k rotation"),
    Edit("core/figures/pictures/factors.py", "at - HILL * height", "at + HILL * height",
         "test_figures.py -k luck"),
    Edit("core/scenarios/infonce_box.py", 'self.p == 2 and self.model_space == "unbounded"',
         'self.model_space == "unbounded"', "test_scores.py -k rotation"),
    Edit("core/learners/pixels.py", 'self._from(settings, "fit", "test")',
         'self._from(settings, "train")', "test_found.py"),
    Edit("core/learners/pixels.py", '!= "contrastive" or p.found', '!= "contrastive"',
         "test_found.py"),
    Edit("core/datasets/subset.py", "fits &= values[:, i] == value", "pass", "test_found.py"),
    Edit("core/datasets/shapes3d.py", "read[band - band[0]]", "read[: len(band)]",
         "test_datasets.py -k chunk"),
    Edit("ui/pixels/pictures.py", "z = world.centred(z)", "pass",
         "test_pictures_page.py -k bins"),
    Edit("core/datasets/subset.py", "found = _kept[key] = Future() if first else _kept.pop(key)",
         "found = _kept.setdefault(key, Future())", "test_found.py"),
    Edit("core/scenarios/pixels/params.py", "each not in FOUND or not absent(each)",
         "each is not None", "test_found.py"),
    Edit("core/scenarios/pixels/params.py",
         'self.p == 2 and self.space == "unbounded"', "self.p == 2",
         "test_scores.py -k rotation"),
    Edit("ui/seeds.py", 'if d and score == "mcc"', "if d", "test_pictures_page.py -k rotation"),
    Edit("core/metrics/resampling.py", "(a * b) - mean_a", "(a * b) + mean_a", "test_scores.py"),
    Edit("core/metrics/resampling.py", "(each * sign)", "(each)", "test_scores.py"),
    Edit("core/scores/glance.py", "if identified", "if not identified", "test_trust.py"),
    Edit("core/scores/glance.py", "(i not in partner, i)", "i", "test_trust.py"),
    Edit("core/run/updates/descent.py", "rate / first", "rate", "test_device.py"),
    Edit("core/run/updates/descent.py", "part.copy_(each.data)", "part.zero_()",
         "test_training.py"),
    Edit("core/run/training.py", "(now - began) / LOOKING", "0", "test_training.py"),
    Edit("core/metrics/matching.py", "(told[-1] - told[-2])", "told[-1]", "test_scores.py"),
    Edit("core/metrics/matching.py", "mcc(ranks(z), ranks(z_hat))", "mcc(z, ranks(z_hat))",
         "test_scores.py"),
    Edit("core/scores/worlds.py", "(1 - alpha) * x + alpha * x**3",
         "(1 - alpha) * x - alpha * x**3", "test_scores.py"),
    Edit("core/scores/reading.py", "    if n < FEW * m:\n", "    if n > FEW * m:\n",
         "test_scores.py"),
    Edit("core/scores/command.py", "1.0) < LITTLE", "1.0) > LITTLE", "test_scores.py"),
    # pictures: what is seen, what is told, where codes start, what makes a class
    Edit("core/images/camera.py", "* LEVELS).round() / LEVELS", "* LEVELS) / LEVELS",
         "test_pixels.py -k rendered"),
    Edit("core/images/camera.py", 'if kind == "circular":', 'if kind == "ordinal":',
         "test_pixels.py -k scikit"),
    Edit("core/metrics/regression.py", "if intercept else code", "if not intercept else code",
         "test_pixels.py -k correlations"),
    Edit("core/metrics/regression.py", "(z[fit] - z[fit].mean(0))", "z[fit]",
         "test_pixels.py -k correlations"),
    Edit("core/encoder.py", "(self.biases[-1] - mean) @ map_", "self.biases[-1] @ map_",
         "test_encoder.py"),
    Edit("core/objectives.py", "away * torch.erf(away / sqrt(2))", "away", "test_objectives.py"),
    Edit("core/learners/sprite_classes.py", "index * parts + cell", "index + cell",
         "test_pixels.py -k cell"),
    Edit("core/learners/pixels.py", "self.warm**left", "self.warm", "test_pixels.py -k falls"),
    Edit("core/learners/pictures.py", "x.std(0) > HARDLY", "x.std(0) > -1",
         "test_pixels.py -k hardly"),
    Edit("core/learners/pictures.py", "camera.side > side", "camera.side < side",
         "test_pixels.py -k convolutions_see"),
    Edit("core/scenarios/pixels/params.py", 'else self.k, "tau": self.matched_tau',
         'else self.encoded, "tau": self.model_tau', "test_experiment.py"),
    Edit("core/scenarios/pixels/params.py", "2 * step**2 if normal else 4 * step**2",
         "4 * step**2 if normal else 2 * step**2", "test_pixels.py -k moments"),
    Edit("ui/pixels/pictures.py", "z[0, axis] = at / TENTHS", "z[0, axis] = 0",
         "test_pictures_page.py -k moves"),
    Edit("ui/pixels/pictures.py", "weight[code] = OWN_WEIGHT", "weight[code] = 0.0",
         "test_pictures_page.py -k along"),
    # what a probe proves, and intervals
    Edit("core/metrics/significance.py", "return t_test(self.each, self.shared)",
         "return t_test(self.each)", "test_significance.py"),
    Edit("core/metrics/significance.py", "values > np.median(", "values >= np.median(",
         "test_significance.py"),
    Edit("core/metrics/significance.py", "centre, scale = code[fit].mean(0)",
         "centre, scale = code[fit].mean()", "test_significance.py test_probes.py"),
    Edit("core/metrics/resampling.py", "(parts - 1) * found.var()", "found.var()",
         "test_scores.py"),
    Edit("core/metrics/matching.py", "gaps.append(first - second)", "gaps.append(first)",
         "test_scores.py"),
    # a classroom
    Edit("core/run/bounds.py", "if waiting >= self.most_waiting", "if waiting > 10**9",
         "test_engine.py"),
    Edit("core/run/engine.py", "self._waiting.appendleft((job, group))", "pass", "test_cluster.py"),
    Edit("core/run/link.py", "            self._meet(client)\n", "", "test_cluster.py"),
    Edit("core/run/crew.py", "        options |= self._keys()\n", "", "test_cluster.py"),
    Edit("ui/recovery.py", "name.isdecimal() and len(name) <= DIGITS", "name.isdecimal()",
         "test_hostile.py"),
    Edit("ui/window/serve.py", "if not listened(\"127.0.0.1\", port)",
         "if listened(\"127.0.0.1\", port)", "test_serve.py"),
    # a softmax over some labels
    Edit("core/objectives.py", " + log(w.shape[1] / (candidates.shape[1] + 1))", "",
         "test_objectives.py"),
    Edit("core/learners/clusters.py", "score(v[whose], w, cluster)", "score(v, w, cluster)",
         "test_clusters.py"),
    # losses and laws of boxes
    Edit("core/objectives.py", "slope.mul_(slope.abs())", "slope.mul_(slope)", "test_boxes.py"),
    Edit("core/objectives.py", "own -= each.sum(0)", "own += each.sum(0)", "test_boxes.py"),
    Edit("core/laws/coordinates.py", "_reach(narrow) + _reach(wide), wide", "_reach(wide), narrow",
         "test_boxes.py"),
    Edit("core/papers/compare.py", "(1 if self.column.best else -1)", "1", "test_papers.py"),
    # what is drawn
    Edit("core/colours.py", "0.66 + 0.17 * up", "0.66 - 0.17 * up", FIGURES),
    Edit("core/colours.py", "0.51 + 0.28 * along", "0.79 - 0.28 * along", FIGURES),
    Edit("core/figures/training.py", "    if levels:\n", "    if not levels:\n", FIGURES),
    Edit("core/figures/training.py", "alt.value(2.6), alt.value(1)", "alt.value(1), alt.value(2.6)",
         FIGURES),
    Edit("core/figures/proofs.py", '{"world": world, "model": model}',
         '{"world": model, "model": world}', FIGURES),
    Edit("core/figures/proofs.py", 'x=alt.X("column:O", axis=None), y=y)',
         'x=alt.X("row:O", axis=None), y=y)', FIGURES),
    Edit("core/figures/reading.py", '"across": flat[:, 1], "up": flat[:, 2]',
         '"across": flat[:, 2], "up": flat[:, 1]', FIGURES),
    Edit("core/figures/reading.py", '.sort_values("depth")',
         '.sort_values("depth", ascending=False)', FIGURES),
    Edit("core/figures/sweeps.py", "dict(zip(groups, ramp(len(groups)), strict=True))",
         "dict(zip(groups, ramp(len(groups))[::-1], strict=True))", FIGURES),
    Edit("core/figures/sweeps.py", "[name].mean().idxmin()", "[name].mean().idxmax()",
         FIGURES),
    Edit("core/figures/figure.py", "None if value != value else value", "value",
         FIGURES),
    Edit("core/figures/words.py", "abs(at[i] - at[j]) >= half[i] + half[j] + APART",
         "abs(at[i] - at[j]) >= half[i]", FIGURES),
    Edit("core/figures/game.py", '"step": steps, "own": adversary, "best": best',
         '"step": steps, "own": best, "best": adversary', "test_figures.py test_game.py"),
    Edit("ui/reversal/game.py", "np.roll(north[:0:-1], LONGITUDES // 2, axis=1)", "north[:0:-1]",
         "test_game.py"),
    Edit("ui/recovery.py", "return _columns(array @ turn, drawn)", "return _columns(array, drawn)",
         "test_furniture.py"),
    Edit("ui/recovery.py", "size = np.full_like(means, radius) if radius else means",
         "size = np.ones_like(means)", "test_furniture.py"),
    # what is taken home
    Edit("ui/export.py", '"z": result.z, "z_hat": result.z_hat', '"z": result.z, "z_hat": result.z',
         "test_export.py"),
    Edit("ui/export.py", "kept = frame.drop(columns=[c for c in frame if c in unread])",
         "kept = frame", "test_export.py"),
    Edit("core/command.py", "        if name in chosen:\n", "        if not chosen:\n",
         "test_shell.py test_export.py"),
    Edit("core/command.py", 'return short if float(short) == value else repr(value)',
         "return short", "test_shell.py test_export.py"),
    Edit("core/whole.py", 'arrays |= {f"{name}_{seed}": array', 'arrays |= {f"{name}_0": array',
         "test_whole.py"),
    # scores and training
    Edit("core/run/evaluation.py", "np.r_[:each, HALF : HALF + each]", "np.r_[:each, :each]",
         "test_evaluation.py"),
    Edit("core/run/training.py", "return np.abs(loss) <= LOST  # NaN is not",
         "return np.full(loss.shape, True)", "test_training.py"),
    Edit("core/run/training.py", "self.now &= np.isfinite(observation.z_hat).all((1, 2))", "pass",
         "test_training.py"),
    Edit("core/laws/leakage.py", "spread = log_psi(rest, kappa * np.sqrt(hidden * inside))",
         "spread = log_psi(rest, kappa * hidden * inside)", "test_leakage.py"),
    Edit("core/laws/vmf.py", "bessel = i0e(safe) if order == 0",
         "bessel = i0e(safe) if order == 1", "test_leakage.py"),
    Edit("core/laws/vmf.py", "ratio = ive(d / 2, safe)", "ratio = ive(d / 2 + 1, safe)",
         "test_theory.py"),
    # boxes
    Edit("core/laws/samplers.py", "low, high = ((wall - mean) / self.scale for",
         "low, high = (wall / self.scale for", "test_boxes.py"),
    Edit("core/metrics/matching.py", "np.sign(correlation[latents, codes]) * scale", "scale",
         "test_boxes.py"),
    Edit("core/laws/coordinates.py", "weight = np.exp(log_p - log_inside(law, z))",
         "weight = np.exp(log_p)", "test_boxes.py"),
    Edit("ui/pairs/picture.py", "(matched if choice.aligned else as_learnt)(run)",
         "(as_learnt if choice.aligned else matched)(run)", "test_boxed.py"),
    # auxiliary variables
    Edit("core/metrics/unmixing.py", "curve.T * slope - slope.T", "curve.T * slope + slope.T",
         "test_auxiliary.py -k unmixing"),
    Edit("core/laws/modulation.py", "return -1 / at if", "return 1 / at if",
         "test_auxiliary.py -k natural"),
    Edit("core/learners/auxiliary/world.py", "told[:, 0] / told[:, -1]",
         "told[:, -1] / told[:, 0]", "test_auxiliary.py -k conditioned"),
    Edit("core/learners/auxiliary/learner.py", "map_[:, new] * sign", "map_[:, new]",
         "test_auxiliary.py -k signs"),
    # LeJEPA, and the map
    Edit("core/metrics/spectrum.py", "/ (2 * rho * (1 - rho))", "/ (2 * (1 - rho))",
         "test_lejepa.py -k bound"),
    Edit("core/objectives.py", "weight = 2 * step * normal", "weight = step * normal",
         "test_lejepa.py -k integral"),
    Edit("core/learners/lejepa.py", "gained = self._log_density(to) - self._log_density(at)",
         "gained = self._log_density(at) - self._log_density(to)", "test_lejepa.py -k diffusion"),
    Edit("core/family/counting.py", "n * (n + 3) // 2", "n * (n + 1) // 2",
         "test_family.py -k counts"),
    Edit("core/family/counting.py", "        if min(runs[count]) < bound:\n",
         "        if max(runs[count]) < bound:\n", "test_family.py -k say"),
    Edit("ui/map/graph.py", '"URL": f"{page_of(each)}?', '"URL": f"{each.name}?',
         "test_family.py -k link"),
    Edit("ui/runner.py", "QUEUE_SECONDS if queued else pace", "pace", "test_runs.py -k seldom"),
    # told the latents, and crowded ones
    Edit("core/laws/vmf.py", "WEIGHTS @ density - cap)", "WEIGHTS @ density)", "test_theory.py"),
    Edit("core/scenarios/infonce.py", "else unread | OF_PAIRS", "else unread", "test_infonce.py"),
    Edit("core/learners/pairs.py", "if self.unsupervised:\n            world[", "if True:\n"
         "            world[", "test_infonce.py"),
    Edit("core/claims/measures.py", "compute_uv=False).min() ** 2", "compute_uv=False).max() ** 2",
         "test_claims.py"),
    Edit("core/papers/table.py", 'f"{row.name}/{column.name}" in', 'f"{row.name}/mcc" in',
         "test_papers.py"),
    Edit("core/run/experiment.py", 'f"supervised_{name}": twin.get(name)',
         'f"supervised_{name}": scores.get(name)', "test_twin.py"),
    Edit("core/figures/crowding.py", "_at(conditional,", "_at(2 * conditional,", FIGURES),
    # what is stored
    Edit("core/run/archive.py", " or zlib.crc32(data) != check", "", "test_archive.py"),
    Edit("core/run/archive.py", 'told["frames"] > 1', "True", "test_archive.py"),
    Edit("core/kept/packing.py", "ticks = np.diff(ticks, axis=axis, prepend=np.int16(0))", "pass",
         "test_archive.py"),
    Edit("core/kept/folder.py", "os.replace(name, path)", "pass", "test_store.py"),
    Edit("core/run/store.py", 'if meta["key"] != member.key:', "if False:", "test_store.py"),
    Edit("core/run/store.py", '"playable": result.playable', '"playable": True', "test_store.py"),
    # decoders
    Edit("core/learners/flows.py", "decoder.norm(dim=-2)", "decoder.norm(dim=-1)", "test_flows.py"),
    Edit("core/entropy.py", "self.spectrum if ordered else self.spectrum[self.order]",
         "self.spectrum", "test_flows.py test_members.py"),
    Edit("core/claimed/exact/twins.py", "weight @ j", "weight.T @ j", "test_twins.py"),
    Edit("ui/entropic/waterfall.py", "found[-1] = last", "pass", "test_waterfall.py"),
    Edit("ui/entropic/waterfall.py", "core + detail - shared]", "core + detail + shared]",
         "test_waterfall.py"),
    Edit("ui/entropic/waterfall.py", "((DETAIL, ~core), (CORE, core))",
         "((CORE, ~core), (DETAIL, core))", "test_waterfall.py"),
    Edit("core/decoders/measurement.py", 'if _digest(told["numbers"], arrays) != digest:',
         "if False:", "test_measured.py"),
    Edit("core/kept/folder.py", "full = self._size is None or", "full = self._size and",
         "test_measured.py"),
    # the shell and the engine
    Edit("core/__main__.py", "train = _train_here if options.inline else _train_by_engine",
         "train = _train_here if options.inline else None", "test_shell.py"),
    Edit("core/__main__.py", "    if fresh:\n        _keep(results.values())\n", "",
         "test_shell.py"),
    Edit("core/verdicts.py",
         "return 0 if all(each.verdict is True for each in found) else 1", "return 0",
         "test_claims.py -k retrain"),
    # claims
    Edit("core/claims/relations.py", "return self.one.holds(values) and self.other.holds(values)",
         "return True", "test_relations.py test_claims.py"),
    Edit("core/papers/compare.py", "else self.mean - self.printed.mean",
         "else self.printed.mean - self.mean", "test_papers.py"),
    Edit("core/papers/table.py", "(self.mean, self.sd)", "(self.sd, self.mean)", "test_papers.py"),
    Edit("core/papers/retrain.py", "        store.put(result)\n", "        pass\n",
         "test_papers.py"),
    Edit("core/papers/command.py", "if wanted and _asked(options):", "if wanted:",
         "test_papers.py"),
    Edit("core/curate.py", 'faults[key] = f"has the scores', '_ = f"has the scores',
         "test_archive.py"),
    Edit("core/run/task.py", "if here and not dask_worker.data and _stops.keys() <= set(tasks):",
         "if here:", "test_engine.py -k deaf"),
    Edit("core/run/task.py", "if version not in (None, source()):", "if version is False:",
         "test_engine.py -k version"),
    Edit("core/run/link.py", "dask_scheduler.allowed_failures = min(", "_ = min(",
         "test_engine.py -k told"),
    # pages
    Edit("ui/article.py", "if any(address.get(key) != value for key, value in rest.items()):",
         "if False:", "test_pages.py -k second_scenario"),
    Edit("ui/claims.py", "address.put(story.PART, PART.get(claim.opens.lesson, story.EXPLORE))",
         "pass", "test_pages.py -k about_bodies"),
    Edit("app.py", "with turns.taken():", "if True:", "test_turns.py"),
    Edit("ui/recovery.py", "with turns.lent():", "if True:", "test_turns.py"),
    Edit("ui/window/turns.py", "_drawing.again = not again", "pass", "test_turns.py"),
    Edit("ui/window/turns.py", "self._waiting.popleft().set()", "self._waiting.pop().set()",
         "test_turns.py"),
    Edit("core/run/link.py", 'if device == "cuda" or (device == "auto" and gpus):', "if False:",
         "test_cluster.py -k gpu"),
    Edit("core/run/engine.py", "if client is None or not before.each or self._places.each:",
         "if True:", "test_cluster.py -k gpus"),
    Edit("ui/runner.py", 'name = f"{key}.error" if asked else f"{key}.said"',
         'name = f"{key}.error"', "test_runs.py -k silence"),
    Edit("ui/claims.py", "claim = order[(at + step) % len(order)]",
         "claim = order[(at - step) % len(order)]", "test_pages.py test_address.py"),
    Edit("ui/export.py", "    if not place.open:\n", "    if place is None:\n",
         "test_export.py test_furniture.py test_game.py"),
    Edit("ui/runner.py", "read(before.members), {}, stale=True)",
         "read(before.members), {}, stale=False)", "test_runs.py"),
    Edit("ui/seeds.py", 'end = f"; {lost} diverged." if lost else "."', 'end = "."',
         "test_runs.py test_furniture.py"),
)  # fmt: skip


def main(words: list[str]) -> int:
    """Try the edits; 1 when one survives."""
    edits = [e for e in EDITS if not words or any(w in e.file for w in words)]
    survived = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        for edit in edits:
            seen = _seen(copy, edit)
            survived += not seen
            print("killed  " if seen else "SURVIVED", edit.file, "|", edit.new.strip(), flush=True)
    print(f"{len(edits) - survived} killed, {survived} survived")
    return 1 if survived else 0


def _seen(copy: Path, edit: Edit) -> bool:
    """Whether the tests of an edit fail with it."""
    path = copy / edit.file
    sound = path.read_text("utf-8")
    if sound.count(edit.old) != 1:
        raise SystemExit(f"{edit.file}: {edit.old!r} stands there {sound.count(edit.old)} times")
    names = [f"tests/{w}" if w.endswith(".py") else w for w in edit.tests.split()]
    path.write_text(sound.replace(edit.old, edit.new), "utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "-p", "no:xdist",
             *names],
            cwd=copy, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, timeout=LONGEST,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    finally:
        path.write_text(sound, "utf-8")
    if done.returncode not in (0, 1):  # 1: a test failed
        raise SystemExit(f"{edit.file}: the tests did not run\n{done.stdout[-2000:]}")
    return done.returncode == 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
