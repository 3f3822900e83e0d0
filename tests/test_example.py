"""The example of how to use core from Python, run as it stands."""

import pytest

from docs import from_python


@pytest.mark.slow
def test_the_example_shows_what_the_theorem_says(capsys):
    from_python.main()
    lines = capsys.readouterr().out.splitlines()
    scores = {float(line.split()[0]): [float(v) for v in line.split()[1:]] for line in lines[1:4]}
    assert set(scores) == {0.01, 0.1, 1.0}
    *matched, raw = scores[0.1]
    assert len(matched) == 3 and min(matched) >= 0.99 > raw
    assert max(scores[0.01][:3]) < 0.9  # too cold: the globe tears
    assert float(lines[-1].split()[-1]) < 0.3
