"""One panel for every page: show what is stored, train what is not, stream, cancel, come back."""

import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import streamlit as st

from core.experiment import Experiment, Member, Result
from core.job import Job, Live, Snapshot
from core.store import Store

BY_ITSELF_SECONDS = 3.0  # below this a run starts without being asked
POLL_SECONDS = 0.25


@dataclass(frozen=True, eq=False)
class Shown:
    """What there is to draw: finished members, members in training, or the run before."""

    experiment: Experiment
    results: dict[str, Result]  # by member key
    live: dict[str, Live]  # by member key, while training
    step: int = 0
    steps: int = 0
    stale: bool = False  # another run is wanted and has nothing to show yet

    def result(self, seed: int) -> Result | None:
        """The finished run of one seed."""
        return self.results.get(self.key(seed))

    def in_training(self, seed: int) -> Live | None:
        """The run of one seed while it trains."""
        return self.live.get(self.key(seed))

    def key(self, seed: int) -> str:
        """The key of the member with this seed, empty when there is none."""
        return next((m.key for m in self.experiment.members if m.seed == seed), "")


Draw = Callable[[Shown], None]


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The server's store, with the shipped gallery behind it."""
    return Store()


@st.cache_resource(show_spinner=False)
def engine() -> "Engine":  # noqa: F821  (its module is heavy: imported when first needed)
    """The server's engine, started on first use; its workers outlive no server."""
    from core.engine import Engine

    return Engine(store())


def warm_up() -> None:
    """Start the engine in the background, once, after the first page is drawn."""
    if not _warming.is_set():
        _warming.set()
        threading.Thread(target=engine, name="engine-start", daemon=True).start()


_warming = threading.Event()


def stored(members: Iterable[Member]) -> dict[str, Result]:
    """The stored results of these members, by key."""
    found = ((member.key, store().get(member)) for member in members)
    return {key: result for key, result in found if result is not None}


def panel(
    experiment: Experiment, draw: Draw, key: str, before: Experiment | None = None
) -> dict[str, Result]:
    """Draw the experiment: stored at once, else trained (by itself when quick) and streamed.

    `draw` is called with what there is, several times a second while it trains; with nothing yet,
    with the last experiment seen here, at first `before`, marked stale. Gives the finished results,
    empty until all are there.
    """
    if before is not None:
        st.session_state.setdefault(f"{key}.before", before)
    results = stored(experiment.members)
    if len(results) == len(experiment.members):
        _let_go(key)
        st.session_state[f"{key}.before"] = experiment
        _fragment(key, running=False)(lambda: draw(Shown(experiment, results, {})))
        return results
    job = _job_for(experiment, key)
    if job is None:
        _offer(experiment, draw, key)
        return {}
    _fragment(key, running=True)(lambda: _watch(job, experiment, draw, key))
    return {}


def _fragment(key: str, running: bool) -> Callable[[Callable[[], None]], None]:
    """The same place on the page, polled while something runs."""
    return st.fragment(
        lambda body: body(), run_every=POLL_SECONDS if running else None, key=f"{key}.panel"
    )


def _job_for(experiment: Experiment, key: str) -> Job | None:
    """The job under way for this experiment: ours, another visitor's, or a quick one just begun."""
    viewer = _viewer()
    held: Job | None = st.session_state.get(f"{key}.job")
    if held is not None and held.key != experiment.key:
        _let_go(key)
        held = None
    if held is not None:
        return held
    job = engine().find(experiment, viewer)
    if job is None:
        seconds = engine().estimate(experiment)
        declined = st.session_state.get(f"{key}.declined") == experiment.key
        if not declined and seconds is not None and seconds < BY_ITSELF_SECONDS:
            job = _submit(experiment)
    st.session_state[f"{key}.job"] = job
    return job


def _submit(experiment: Experiment) -> Job | None:
    from core.engine import Refused

    try:
        return engine().submit(experiment, _viewer())
    except Refused as reason:
        st.warning(str(reason), icon=":material/hourglass_empty:")
        return None


def _let_go(key: str) -> None:
    """Stop waiting for the job that this page asked for, if any."""
    job: Job | None = st.session_state.pop(f"{key}.job", None)
    if job is not None:
        job.cancel(_viewer())


def _viewer() -> str:
    return st.session_state.setdefault("viewer", uuid.uuid4().hex)


def _offer(experiment: Experiment, draw: Draw, key: str) -> None:
    """The run before, dimmed, under a button that says what training costs here."""
    seconds = engine().estimate(experiment)
    cost = "" if seconds is None else f", {duration(seconds)}"
    runs = len(experiment.members) - len(stored(experiment.members))

    def begin() -> None:
        st.session_state.pop(f"{key}.declined", None)
        st.session_state[f"{key}.job"] = _submit(experiment)

    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Train {runs} {'run' if runs == 1 else 'runs'}{cost}",
            key=f"{key}.train",
            type="primary",
            icon=":material/play_arrow:",
            on_click=begin,
        )
        shown = f"{key}.before" in st.session_state
        st.caption("This setting is not stored yet." + " Below is the run before it." * shown)
    _fragment(key, running=False)(lambda: _draw_before(draw, key))


def _draw_before(draw: Draw, key: str) -> None:
    before: Experiment | None = st.session_state.get(f"{key}.before")
    if before is not None:
        draw(Shown(before, stored(before.members), {}, stale=True))


def _watch(job: Job, experiment: Experiment, draw: Draw, key: str) -> None:
    """One look at a running job: status line, cancel button, and the picture so far."""
    now: Snapshot = job.snapshot(_viewer())
    if now.status == "done":
        st.rerun()
    if now.status in ("failed", "cancelled"):
        _let_go(key)
        st.session_state[f"{key}.declined"] = experiment.key
        if now.status == "failed":
            st.session_state[f"{key}.error"] = now.error
        st.rerun()
    _status(now, experiment, key)
    if now.members or now.results:
        draw(Shown(experiment, now.results, now.members, now.step, now.steps))
    else:
        _draw_before(draw, key)


def _status(now: Snapshot, experiment: Experiment, key: str) -> None:
    def cancel() -> None:
        _let_go(key)
        st.session_state[f"{key}.declined"] = experiment.key

    with st.container(horizontal=True, vertical_alignment="center"):
        if now.status == "queued":
            ahead = f"{now.position} ahead in the queue" if now.position else "starting a worker"
            st.progress(0.0, f"Waiting: {ahead}")
        else:
            done = f"{len(now.results)} of {len(experiment.members)} runs done"
            st.progress(now.fraction, f"Training, step {now.step} of {now.steps}; {done}")
        st.button("Cancel", key=f"{key}.cancel", on_click=cancel, icon=":material/stop:")


def duration(seconds: float) -> str:
    """A cost in words, no more exact than an estimate is."""
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"about {round(seconds) if seconds < 10 else round(seconds, -1):.0f} s"
    return f"about {round(seconds / 60)} min"
