"""The shell, called from a test; and what was logged meanwhile."""

from core.__main__ import main


def told(capsys, *arguments: str) -> tuple[int, str, str]:
    try:
        status = main(arguments)
    except SystemExit as leave:
        status = leave.code
    out, err = capsys.readouterr()
    return status, out, err


def logged(caplog, by: str = "core") -> list[str]:
    """What this package, or a module of it, has logged: other threads log as well."""
    return [record.getMessage() for record in caplog.records if record.name.startswith(by)]
