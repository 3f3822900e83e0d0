"""A pseudo device for a GPU: its numbers are the CPU's, and it refuses what a GPU would.

Whatever reaches for them from the CPU fails, as does, while `capturing`, what a CUDA graph cannot
hold.
"""

from contextlib import contextmanager, nullcontext

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map

from core.laws import samplers
from core.learners import (
    auxiliary,
    clusters,
    digits,
    flows,
    infonce,
    infonce_box,
    invariance,
    lejepa,
    pixels,
    probes,
    reversal,
)

PSEUDO = "meta"  # a name of PyTorch's for tensors that are nowhere
COMPOSED = torch._C.DispatchKey.CompositeImplicitAutograd
aten = torch.ops.aten
READS = {  # what copies from a GPU to the host, or has a shape that only data tell
    aten._local_scalar_dense, aten.nonzero, aten.masked_select, aten._unique2, aten.unique_dim,
    aten.unique_consecutive, aten._linalg_check_errors, aten.equal, aten.is_nonzero, aten.item,
    aten.bincount,
}  # fmt: skip
LEARNERS = {
    "auxiliary": auxiliary,
    "clusters": clusters, "digits": digits, "flows": flows, "infonce": infonce,
    "infonce_box": infonce_box, "invariance": invariance, "lejepa": lejepa,
    "pixels": pixels, "probes": probes, "reversal": reversal,
}  # fmt: skip


class Elsewhere(torch.Tensor):
    """A tensor on the pseudo device; `held` has its numbers."""

    @staticmethod
    def __new__(cls, held):
        return torch.Tensor._make_wrapper_subclass(
            cls, held.shape, strides=held.stride(), storage_offset=held.storage_offset(),
            dtype=held.dtype, device=PSEUDO,
        )  # fmt: skip

    def __init__(self, held):
        self.held = held

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise AssertionError(f"{func} of a tensor elsewhere outside of its device")


class Device(TorchDispatchMode):
    """Runs what is asked for on the pseudo device, and refuses what would not run on a GPU.

    While `capturing` also what would not be captured; `program` then lists what was done, with
    every number that a graph would have kept as it was.
    """

    def __init__(self):
        super().__init__()
        self.capturing, self.program = False, []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        plain = torch.inference_mode(False) if torch.is_inference_mode_enabled() else nullcontext()
        with plain, torch.no_grad():
            if torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), COMPOSED):
                with self:
                    return func.decompose(*args, **(kwargs or {}))
            return self._run(func, args, dict(kwargs or {}))

    def _run(self, func, args, kwargs):
        if func is aten._efficientzerotensor.default:  # which has no numbers to hold
            func = aten.zeros.default
        flat = tree_flatten((args, kwargs))[0]
        here = [
            each for each in flat if isinstance(each, torch.Tensor) and type(each) is not Elsewhere
        ]
        away = [each for each in flat if isinstance(each, Elsewhere)]
        target = kwargs.get("device")
        asked = target is not None and torch.device(target).type == PSEUDO
        moves = func in (aten._to_copy.default, aten.copy_.default)
        if away and not moves:
            assert all(each.dim() == 0 for each in here), (
                f"{func}: a tensor on the CPU, one elsewhere"
            )
        if self.capturing:
            self._watch(func, args, flat, here, away, target, asked)
        if "device" in kwargs:
            kwargs["device"] = None if target is None else torch.device("cpu")
        real = tree_map(
            lambda each: each.held if isinstance(each, Elsewhere) else each, (args, kwargs)
        )
        out = func(*real[0], **real[1])
        stays = asked or (away and (target is None))
        if func is aten.copy_.default:
            stays = isinstance(args[0], Elsewhere)
        if not stays:
            return out
        wrapped = tree_map(
            lambda each: Elsewhere(each) if isinstance(each, torch.Tensor) else each, out
        )
        return return_and_correct_aliasing(func, args, {**kwargs}, wrapped)

    def _watch(self, func, args, flat, here, away, target, asked):
        assert func.overloadpacket not in READS, f"{func}: the host reads"
        if func in (aten.index.Tensor, aten.index_put.default, aten.index_put_.default):
            kinds = {each.dtype for each in args[1] if each is not None}  # where, not of what
            assert not kinds & {torch.bool, torch.uint8}, f"{func}: a shape that data tell"
        if func in (aten._to_copy.default, aten.copy_.default):
            crosses = (
                (here and away) or (here and asked) or (away and target is not None and not asked)
            )
            assert not crosses, f"{func}: a copy between devices"
        made = func.name().split("::")[1].split(".")[0] in FACTORIES
        assert asked or not made, f"{func}: made on the CPU"
        assert func is not aten.lift_fresh.default, "made of the host's numbers"
        told = [each for each in flat if isinstance(each, int | float | bool)]
        told += [each.item() for each in here if each.dim() == 0]
        self.program.append(f"{func} {told}")  # as text, in which nan is nan


FACTORIES = {
    "arange", "empty", "empty_strided", "eye", "full", "linspace", "ones", "rand", "randint",
    "randn", "randperm", "zeros", "normal", "tril_indices", "triu_indices",
}  # fmt: skip


class Made(TorchFunctionMode):
    """`torch.tensor` on the pseudo device, which by itself forgets the numbers."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is torch.tensor and torch.device(kwargs.get("device") or "cpu").type == PSEUDO:
            return torch.tensor(*args, **{**kwargs, "device": "cpu"}).to(PSEUDO)
        if func is torch.Tensor.new_tensor and isinstance(args[0], Elsewhere):
            return torch.tensor(args[1], dtype=args[0].dtype).to(PSEUDO)
        return func(*args, **kwargs)


@contextmanager
def elsewhere():
    """The pseudo device, whose generators are the CPU's."""
    with pytest.MonkeyPatch.context() as patch, Device() as device, Made():
        real = samplers.generator
        for module in (samplers, *LEARNERS.values()):
            if hasattr(module, "generator"):
                patch.setattr(
                    module, "generator", lambda seed, role, device="cpu": real(seed, role)
                )
        yield device
