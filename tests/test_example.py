"""The example of how to use core from Python, run as its first lines say."""

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_the_example_shows_what_the_theorem_says():
    # In a process of its own: in this one a page's threads may still say what they train on.
    command = [sys.executable, "-m", "docs.from_python"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    lines = done.stdout.splitlines()
    scores = {float(line.split()[0]): [float(v) for v in line.split()[1:]] for line in lines[1:4]}
    assert set(scores) == {0.01, 0.1, 1.0}
    *matched, raw = scores[0.1]
    assert len(matched) == 3 and min(matched) >= 0.99 > raw
    assert max(scores[0.01][:3]) < 0.9  # too cold: the globe tears
    assert float(lines[-1].split()[-1]) < 0.3
