"""The shell, called from a test."""

from core.__main__ import main


def told(capsys, *arguments: str) -> tuple[int, str, str]:
    try:
        status = main(arguments)
    except SystemExit as leave:
        status = leave.code
    out, err = capsys.readouterr()
    return status, out, err
