"""What a GPU asks of learners, held to without one; and, marked `gpu`, what only one can show."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from elsewhere import LEARNERS, PSEUDO, elsewhere

from core import theory
from core.bench import floors
from core.bench import speeds as bench
from core.laws import samplers
from core.learners import infonce, reversal
from core.metrics import probes
from core.run import worker
from core.run.experiment import Experiment, groups
from core.run.updates import capture, descent, memory
from core.scenarios import SCENARIOS


def ask(scenario, seeds=(0, 1), **params):
    (group,) = groups(Experiment(SCENARIOS[scenario].Params(**params), scenario, seeds).members)
    return group


FEW = {"steps": 8, "batch": 32}
PLANE = {"scenario": "flows", "transforms": 2, "width": 16, **FEW}
CASES = {
    "pairs": ask("infonce", anneal=0.5, **FEW),
    "pairs of a table": ask("infonce", d=5, d_x=7, whiten=True, negatives="anchors", **FEW),
    "pairs of Laplace noise": ask("infonce", conditional="laplace", **FEW),
    "finite pairs": ask("infonce", n_train=100, marginal_kappa=5.0, **FEW),
    "pairs that are told": ask("infonce", objective="supervised", **FEW),
    "boxes": ask("infonce_box", **FEW),
    "boxes of another norm": ask("infonce_box", p=3, conditional="gennorm", shape=2.5, **FEW),
    "spaces without walls": ask("infonce_box", space="unbounded", model_space="unbounded",
                                conditional="normal", p=2, **FEW),
    "clusters": ask("clusters", label_noise=0.2, **FEW),
    "instances, unit weights": ask("clusters", case="C1", supervision="instance", n_instances=100,
                                   whiten=True, **FEW),
    "some labels": ask("clusters", supervision="instance", n_instances=100, candidates=8, **FEW),
    "segments": ask("auxiliary", width=16, **FEW),
    "pairs with a segment, even codes": ask("auxiliary", method="gcl", code="even", law="gauss",
                                            width=16, **FEW),
    "games": ask("reversal", **FEW),
    "games of Adam": ask("reversal", optimiser="adam", encoder="whitened", adversary="mlp", d=5,
                         rank=2, n_classes=4, d_z=2, inner_steps=2, reconstruction=0.1, **FEW),
    "finite games": ask("reversal", n_samples=200, encoder="free", **FEW),
    "codes that hide": ask("invariance", width=16, n_samples=256, **FEW),
    "two stages": ask("invariance", method="two-stage", width=16, n_samples=256, **FEW),
    "a penalty": ask("invariance", method="irm", width=16, n_samples=256, **FEW),
    "flows": ask(**PLANE),
    "flows under a penalty": ask(**PLANE, objective="ml-mtc", data="arc"),
    "flows that reconstruct": ask(**PLANE, objective="ml-rec", data="gaussian"),
    "flows in four dimensions": ask(**PLANE, objective="ml-mtc", data="torus", core_dim=2),
    "digits": ask("digits", transforms=2, width=32, **FEW),
    "digits of constant volume": ask("digits", architecture="gin", transforms=4, width=32,
                                     objective="ml-rec", **FEW),
    "views of a spiral": ask("lejepa", width=16, **FEW),
    "views that diffuse": ask("lejepa", law="gennorm", transition="diffusion", objective="whiten",
                              mixing="coupling", d=3, width=16, **FEW),
    "views of a network, told apart": ask("lejepa", objective="infonce", mixing="network", width=16,
                                          **FEW),
    "views in three dimensions": ask("lejepa", d=3, mixing="banana", width=16, **FEW),
    "pairs of pictures": ask("pixels", warm=10.0, width=16, learning_rate=2e-3, **FEW),
    "pairs of an album, in a box": ask("pixels", world="scene", pairs=256, space="box", width=16,
                                       encoder="conv", **FEW),
    "slow pairs of pictures": ask("pixels", method="slowvae", width=16, **FEW),
    "pictures that are told": ask("pixels", method="supervised", world="sprites", **FEW),
    "classes of sprites": ask("pixels", task="classify", label="random", width=16, **FEW),
    "classifiers of digits": ask("probes", weight_decay=0.01, width=16, d_hat=8, **FEW),
}  # fmt: skip
every_case = pytest.mark.parametrize("members", CASES.values(), ids=CASES)


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    """Probes with hidden layers learn for one round, and floors are of two batches."""
    fitted = probes._fitted

    def one_round(estimator, x, target):
        if "hidden_layer_sizes" in estimator.get_params():
            estimator.set_params(max_iter=1)
        return fitted(estimator, x, target)

    monkeypatch.setattr(probes, "_fitted", one_round)
    monkeypatch.setattr(theory, "loss_floor", lambda *_: (None, 2))


def started(members, device):
    return LEARNERS[members[0].scenario].start(members, device)


@every_case
def test_a_learner_keeps_to_its_device_and_its_updates_are_what_a_graph_can_hold(members):
    with elsewhere() as device:
        one = started(members, PSEUDO)
        losses, programs = [], {}
        for t in range(one.steps):
            name = one.program(t)
            device.capturing, device.program = name is not None, []
            losses.append(one.step(t))
            device.capturing = False
            programs.setdefault(name, []).append(device.program)
            if t in (0, 5):
                one.look(), one.observe()
        one.finish()
        losses = torch.stack(losses).cpu()
    assert None not in programs or members[0].params.method == "two-stage"
    for name in programs.keys() - {None}:  # a graph would repeat the last number of a first one
        first, *others = programs[name]
        assert others and first and all(other == first for other in others), name
    again = started(members, "cpu")
    expected = torch.stack([again.step(t) for t in range(again.steps)])
    torch.testing.assert_close(losses, expected, rtol=1e-2, atol=1e-4)


def _branch(x):
    return x if x.sum() > 0 else -x


BROKEN = {
    "a read": lambda x: x.sum().item(),
    "a branch": _branch,
    "a list": lambda x: float(x[0]),
    "a choice by a mask": lambda x: x[x > 0],
    "a change by a mask": lambda x: x.clone().index_put_((x > 0,), x.sum()),
    "places": lambda x: x.nonzero(),
    "what differs": lambda x: x.unique(),
    "a copy to the host": lambda x: x.cpu(),
    "a copy from the host": lambda x: torch.tensor([1.0, 2.0], device=x.device),
    "something of the CPU's": lambda x: x + torch.ones(3),
    "something made on the CPU": lambda x: torch.zeros(3).sum(),
    "a checked inverse": lambda x: torch.linalg.inv(x.expand(3, 3)),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_the_watch_sees_what_a_graph_cannot_hold(broken):
    with elsewhere() as device:
        x = torch.arange(3.0, device=PSEUDO)
        device.capturing = True
        with pytest.raises(AssertionError):
            broken(x)


def test_the_watch_sees_a_number_that_a_graph_would_keep():
    with elsewhere() as device:
        x, programs = torch.arange(3.0, device=PSEUDO), []
        for number in range(2):
            device.capturing, device.program = True, []
            x.mul(number)
            programs.append(device.program)
            device.capturing = False
    assert programs[0] != programs[1]


def test_the_watch_sees_a_learner_that_left_a_tensor_behind(monkeypatch):
    monkeypatch.setattr(infonce, "pole", lambda d, device: samplers.pole(d))
    with elsewhere(), pytest.raises(AssertionError, match="a tensor on the CPU"):
        started(CASES["finite pairs"], PSEUDO)


def test_the_watch_sees_a_rate_that_hangs_on_the_number_of_the_update(monkeypatch):
    monkeypatch.setattr(capture.Clock, "at", lambda self, t: t)
    with pytest.raises(AssertionError):
        test_a_learner_keeps_to_its_device_and_its_updates_are_what_a_graph_can_hold(CASES["games"])


@pytest.mark.parametrize("steps", [1, 3, 4, 400])
def test_one_cycle_is_that_of_pytorch(steps):
    down = descent.Descent([torch.nn.Parameter(torch.zeros(1))], 0.1, steps)
    rising = 0.3 if steps == 3 else 0.25
    for rate, beta in zip(*descent.one_cycle(0.1, steps, rising), strict=True):
        (group,) = down.optimiser.param_groups
        assert rate == pytest.approx(group["lr"], rel=1e-9)
        assert beta == pytest.approx(group["betas"][0], rel=1e-9)
        down(down.parameters[0].sum())


def test_rows_made_orthonormal_by_hand_are_those_of_qr():
    rows = torch.randn(3, 4, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(reversal.gram_schmidt(rows), reversal._orthonormal(rows))


# --- what captures, without a GPU --------------------------------------------------------------


class Recorder:
    """Stands for torch.cuda: a graph that was captured repeats the step it was captured from."""

    def __init__(self):
        self.now, self.made, self.replays, self.learner = None, [], 0, None

    def CUDAGraph(self):
        self.made.append(self)
        return self

    def register_generator_state(self, generator):
        assert generator is self.learner.data

    def current_stream(self):
        return "aside"

    @contextmanager
    def graph(self, graph, stream):
        assert graph is self and stream == "aside"
        yield

    def replay(self):
        self.replays += 1


class Counted:
    """A learner of two programs and a step in between."""

    def __init__(self, steps):
        self.steps, self.done = steps, []
        self.data = self
        self.generators = [self]

    def program(self, t):
        return None if t == 30 else "first" if t < 30 else "second"

    def step(self, t):
        self.done.append(t)
        return torch.zeros(1)


def test_a_program_is_captured_once_after_it_was_run_and_what_has_none_never(monkeypatch):
    recorder, learner = Recorder(), Counted(60)
    recorder.learner = learner
    monkeypatch.setattr(capture.torch, "cuda", recorder)
    update = capture.updates(learner, "cuda")
    for t in range(60):
        update(t)
    warm = capture.WARM
    # the steps that ran as they are, and the one of each program that was captured
    assert learner.done == [*range(warm + 1), 30, *range(31, 31 + warm + 1)]
    assert len(recorder.made) == 2 and recorder.replays == 60 - 1 - 2 * warm


def test_few_updates_are_not_worth_a_capture(monkeypatch):
    learner = Counted(capture.FEW)
    update = capture.updates(learner, "cuda")
    for t in range(learner.steps):
        update(t)
    assert learner.done == list(range(learner.steps))


# --- memory ------------------------------------------------------------------------------------


def test_members_that_do_not_fit_are_halved_until_they_do(monkeypatch):
    members, run, tried = ask("infonce", range(5), **FEW), worker._run, []

    def small(members, *rest):
        tried.append(len(members))
        if len(members) > 2:
            raise torch.OutOfMemoryError("injected")
        return run(members, *rest)

    whole, told = worker.train_group(members, device="cpu"), []
    monkeypatch.setattr(worker, "_run", small)
    parts = worker.train_group(members, told.append, device="cpu")
    assert tried == [5, 3, 2, 1, 2]
    assert [r.member for r in parts] == list(members)
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(a.z_hat, b.z_hat)
    for progress in told:
        assert {len(progress.loss), len(progress.z), len(progress.z_hat), len(progress.net)} == {5}
        assert {len(each) for each in progress.world.values()} == {5}
    assert np.isfinite(told[-1].z_hat).all() and np.isnan(told[0].z_hat[2:]).all()


def test_one_member_that_does_not_fit_says_so(monkeypatch):
    def never(*_):
        raise torch.OutOfMemoryError("injected")

    monkeypatch.setattr(worker, "_run", never)
    with pytest.raises(torch.OutOfMemoryError):
        worker.train_group(ask("infonce", range(3), **FEW), device="cpu")


@pytest.fixture
def little_memory(monkeypatch):
    """A GPU of 100 bytes, of which a member takes 25 at most; says how many were tried together."""
    run, tried = worker._run, []

    def small(members, report, should_stop, device):
        tried.append(len(members))
        if 25 * len(members) > 100:
            raise torch.OutOfMemoryError("injected")
        return run(members, report, should_stop, "cpu")

    monkeypatch.setattr(worker, "_run", small)
    monkeypatch.setattr(worker, "pick_device", lambda wanted: wanted)
    monkeypatch.setattr(memory, "_bytes", {})
    monkeypatch.setattr(memory, "watch", lambda: None)
    monkeypatch.setattr(memory, "free", lambda: 100.0)
    monkeypatch.setattr(memory, "most", lambda: 25.0 * tried[-1])
    return tried


def test_what_a_shape_took_says_how_many_fit_the_next_time(little_memory):
    members = ask("infonce", range(7), **FEW)
    assert [r.member for r in worker.train_group(members, device="cuda")] == list(members)
    assert little_memory == [7, 4, 3]  # the whole was tried, nothing was known
    little_memory.clear()
    assert [r.member for r in worker.train_group(members, device="cuda")] == list(members)
    assert little_memory == [4, 3]
    little_memory.clear()
    worker.train_group(ask("infonce", range(5), **{**FEW, "batch": 16}), device="cuda")
    assert little_memory == [5, 3, 2]  # of another shape nothing was known


def test_what_did_not_fit_says_so_of_its_shape_before_anything_has_fitted(little_memory):
    memory.refused("a shape", 8)  # more than 12.5 bytes each
    assert memory.room("a shape") == 8
    little_memory.append(3)
    memory.took("a shape", 3)
    assert memory.room("a shape") == 4 and memory.room("another") is None


def test_on_the_processor_nothing_is_estimated(monkeypatch):
    monkeypatch.setattr(memory, "room", lambda shape: pytest.fail("there is no GPU here"))
    assert len(worker.train_group(ask("infonce", (0,), **FEW), device="cpu")) == 1


# --- what measures -----------------------------------------------------------------------------


def test_a_pace_is_that_of_a_group_on_its_device():
    members = bench.several("infonce", 4)
    assert [each.seed for each in members] == [0, 1, 2, 0]
    found = bench.pace(members[:1], "cpu")
    assert found.per_second > 0 and found.mebibytes is None and found.captured == "not asked for"


def test_what_is_measured_on_a_gpu_is_said_of_every_size(monkeypatch):
    paces = {"cuda": bench.Pace(100.0, "yes", 64.0), "cpu": bench.Pace(10.0, "not asked for", None)}
    results = worker.train_group(ask("infonce", (0, 1, 2), steps=8, batch=32), device="cpu")
    for result in results:
        result.history["linear_r2"][-2:] = 1.0  # at the last step but one
    monkeypatch.setattr(bench, "_train", lambda *_: results)
    monkeypatch.setattr(bench, "pace", lambda members, device: paces[device])
    monkeypatch.setattr(bench, "busy", lambda members: {"us": 10.0, "kernels, us": 9.0})
    found = bench._setting("infonce", (1, 240))
    assert found["infonce, 1: over the CPU"] == 10
    assert found["infonce, 240: over the CPU"] == 100  # members, of which the CPU had 24
    step = results[0].history_step[-2]
    assert found["infonce, 1: s of updates to 0.99"] == pytest.approx(step / 100)
    assert found["infonce, 240: captured"] == "yes"
    assert found["infonce, 1: share of an update in kernels"] == pytest.approx(0.9)


def test_what_an_update_does_is_counted_of_its_operations():
    x, weight = torch.ones(8, 16, dtype=torch.float32), torch.ones(16, 4)
    with floors.Bytes() as seen:
        _ = x.view(16, 8).T  # costs nothing
        _ = (x @ weight).add_(1)
    assert seen.operations == 2
    assert seen.bytes == 4 * ((8 * 16 + 16 * 4 + 8 * 4) + 2 * 8 * 4)
    member = bench.several("infonce", 1)
    one, two = (floors.counted(m, "cpu") for m in (member, bench.several("infonce", 2)))
    p = member[0].params
    layers = p.width * (2 * p.d + (p.depth - 1) * p.width)
    assert one.flops > 6 * 2 * p.batch * layers * 0.9  # both views, both passes, but for the input
    assert two.flops == pytest.approx(2 * one.flops) and two.bytes < 2.2 * one.bytes
    assert abs(one.operations - two.operations) < 5


def test_where_the_time_went_is_said_by_what_ran(monkeypatch):
    clock = iter(range(10**9))
    monkeypatch.setattr(floors.time, "process_time", lambda: float(next(clock)))
    found = floors.shares(ask("infonce", (0,), **FEW))
    assert set(found) == set(floors.ORDER) and sum(found.values()) == pytest.approx(1)
    assert all(share > 0 for share in found.values())
    told = floors.Shares()
    with told.watching():
        samplers.sphere(torch.ones(3))
    assert told.seconds["drawing"] > 0 == told.seconds["observing"] + told.seconds["loss"]


def test_the_floor_is_what_takes_longer(monkeypatch):
    monkeypatch.setattr(floors, "speed", lambda device: floors.Speed(2e9, 1e9))
    monkeypatch.setattr(floors, "counted", lambda members, device: floors.Count(2e6, 3e6, 7))
    monkeypatch.setattr(floors, "pace", lambda members, device: bench.Pace(100.0, "no", None))
    monkeypatch.setattr(floors, "shares", lambda members: {"rest": 1.0})
    found = floors.measure("cpu", ("infonce",))
    assert found["infonce: us of its products"] == pytest.approx(1000)
    assert found["infonce: us of its bytes"] == pytest.approx(3000)
    assert found["infonce: us of an update"] == pytest.approx(10_000)
    assert found["infonce: share of the floor"] == pytest.approx(0.3)
    assert found["infonce: share of rest"] == 1


# --- on a GPU ----------------------------------------------------------------------------------

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.gpu
@on_gpu
@pytest.mark.parametrize("scenario", ["infonce", "infonce_box", "clusters"])
def test_scores_agree_between_cpu_and_cuda(scenario):
    members = ask(scenario, (0, 1, 2))
    results = [worker.train_group(members, device=device) for device in ("cpu", "cuda")]
    for a, b in zip(*results, strict=True):
        assert min(a.scores["linear_r2"], b.scores["linear_r2"]) > 0.99
        assert a.scores["linear_r2"] == pytest.approx(b.scores["linear_r2"], abs=2e-3)


@pytest.mark.gpu
@on_gpu
@every_case
def test_a_replayed_update_is_the_update(members, monkeypatch):
    monkeypatch.setattr(capture, "FEW", 1)
    losses = []
    for how in (lambda one: capture.updates(one, "cuda"), lambda one: one.step):
        with capture.aside("cuda"):
            one = started(members, "cuda")
            update = how(one)
            losses.append(torch.stack([update(t) for t in range(one.steps)]).cpu())
    torch.testing.assert_close(*losses, rtol=1e-3, atol=1e-4)
