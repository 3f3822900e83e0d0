"""Every defect of `make mutate` can still be put in, and the tests beside it are there."""

import mutate
import pytest


@pytest.mark.parametrize("edit", mutate.EDITS, ids=lambda edit: f"{edit.file}: {edit.old[:30]}")
def test_what_an_edit_replaces_stands_there_once(edit):
    assert (mutate.ROOT / edit.file).read_text("utf-8").count(edit.old) == 1
    files = [word for word in edit.tests.split() if word.endswith(".py")]
    assert files and all((mutate.ROOT / "tests" / name).is_file() for name in files)
