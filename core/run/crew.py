"""The engine's own workers: one process of the command a cluster uses, whose children train."""

import ctypes
import importlib.util
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

START_SECONDS = 60  # for a worker to start: a busy machine, a network disk, a cold cache
MOST_STARTS = 3  # in a row, without a worker that stays
LOG = "workers.log"
KEYS = {"--tls-ca-file": "ca_file", "--tls-cert": "cert", "--tls-key": "key"}

log = logging.getLogger(__name__)


class Crew:
    """Workers of the scheduler at `address`, started now, and again when they end.

    After `MOST_STARTS` in a row that came to nothing it gives up, until told to `try_again`.
    """

    def __init__(self, address: str, workers: int, keys: Mapping[str, str]) -> None:
        """With the texts of `KEYS` that the scheduler asks for, in a folder of this user's."""
        self.address, self.keys = address, keys
        self.workers = workers
        self.folder = tempfile.TemporaryDirectory("-explorer", ignore_cleanup_errors=True)
        self.process: subprocess.Popen[bytes] | None = None  # None once given up
        self._starts, self._began = 0, 0.0
        self._start()

    def tend(self, ready: bool) -> str | None:
        """Start the process again where it has ended; why it could not be, when that is given up.

        `ready` says whether any worker has reported to the scheduler.
        """
        if self.process is None:
            return None
        if ready and time.monotonic() - self._began > START_SECONDS:
            self._starts = 0  # they had settled: what happens now is another story
        code = self.process.poll()
        if code is None:
            return None
        last = self._last_words()
        if self._starts < MOST_STARTS:
            log.warning("the trainers' process ended (%s) and starts again: %s", code, last)
            self._start()
            return None
        self.process = None
        reason = f"no trainer could be started, {MOST_STARTS} times in a row: {last}"
        log.error(reason)
        return reason

    def try_again(self) -> None:
        """Start anew where it was given up."""
        if self.process is None:
            self._starts = 0
            self._start()

    def close(self) -> None:
        """End the process and what it leaves behind."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()  # its workers notice and end too
                self.process.wait()
        self.folder.cleanup()

    def _last_words(self) -> str:
        """The last line that the process has written."""
        lines = (Path(self.folder.name) / LOG).read_text(errors="replace").splitlines()
        return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "no word")

    def _keys(self) -> dict[str, Path]:
        """Files of the keys, by the option that names each."""
        found = {}
        for option, name in KEYS.items():
            if name in self.keys:
                found[option] = path = Path(self.folder.name) / f"{name}.pem"
                path.write_text(self.keys[name])
        return found

    def _start(self) -> None:
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        options = {
            "--nworkers": self.workers,
            "--nthreads": 1,
            "--host": "127.0.0.1",
            "--dashboard-address": "127.0.0.1:0",
            "--memory-limit": round(1 / self.workers, 3),  # a fraction of the machine's
            "--local-directory": self.folder.name,
            "--death-timeout": START_SECONDS,
        }
        command = [sys.executable, "-m", "distributed.cli.dask_worker"]
        command += [self.address, "--nanny", "--no-dashboard"]
        options |= self._keys()
        command += [str(word) for option in options.items() for word in option]
        environment = {
            "PYTHONPATH": path,
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            # Dask's nanny lowers these, and training spends half its time in page faults
            "MALLOC_TRIM_THRESHOLD_": "268435456",
            "MALLOC_MMAP_THRESHOLD_": "33554432",
            "DASK_LOGGING__DISTRIBUTED": "warning",
            "DASK_DISTRIBUTED__ADMIN__LOW_LEVEL_LOG_LENGTH": "50",
            "DASK_DISTRIBUTED__WORKER__HTTP__ROUTES": "[]",
        }
        # Dask writes hundreds of lines where a worker cannot start: the server's log gets the last
        with open(Path(self.folder.name) / LOG, "wb") as words:
            self.process = subprocess.Popen(
                command,
                env=os.environ | environment,
                cwd=self.folder.name,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                process_group=0,  # Ctrl-C reaches the server, which then closes its workers
            )
        self._starts, self._began = self._starts + 1, time.monotonic()


def default_workers(device: str = "auto") -> int:
    """`EXPLORER_WORKERS`, else one that owns the GPU, else all cores but one, at most four."""
    chosen = os.environ.get("EXPLORER_WORKERS")
    if chosen:
        return max(1, int(chosen))
    if on_gpu(device):
        return 1
    return max(1, min(4, (os.cpu_count() or 2) - 1))


def on_gpu(device: str) -> bool:
    """Whether "auto", "cpu" or "cuda" means a GPU on this machine."""
    return device == "cuda" or (device == "auto" and cuda_usable())


def cuda_usable() -> bool:
    """Whether the torch that is installed would find a GPU.

    Torch is heavy: its files say whether it has CUDA, and the driver whether there is a device.
    """
    torch = importlib.util.find_spec("torch")
    if torch is None or not any((Path(str(torch.origin)).parent / "lib").glob("*torch_cuda*")):
        return False
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:  # there is none
        return False
    count = ctypes.c_int()
    ready = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    return ready and count.value > 0
