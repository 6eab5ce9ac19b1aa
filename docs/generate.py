"""Write docs/reference/commands.md: what each command says with --help, 100 columns wide.

python docs/generate.py            write the page
python docs/generate.py --check    say whether it is up to date; exit 1 where it is not
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

WIDTH = 100
PAGE = Path(__file__).parent / "reference" / "commands.md"

_HEAD = """\
# Commands

Written by `docs/generate.py` from the program itself; do not edit it by hand.

Every command takes `--json`: one JSON object on stdout, everything else on stderr. What the exit
codes mean is in the [README](../../README.md#exit-codes).
"""


def main() -> int:
    """Write the page, or compare it; the exit status."""
    page = render()
    if sys.argv[1:] == ["--check"]:
        if PAGE.is_file() and PAGE.read_text("utf-8") == page:
            return 0
        print(f"{PAGE} is not up to date. Run: python docs/generate.py", file=sys.stderr)
        return 1
    PAGE.write_text(page, "utf-8")
    return 0


def render() -> str:
    """The page as Markdown."""
    _fix_terminal()
    from typer.main import get_command
    from typer.testing import CliRunner

    from pixelmine.cli.main import app

    parts = [_HEAD]
    for words in _commands(get_command(app), ()):
        found = CliRunner().invoke(app, [*words, "--help"], catch_exceptions=False)
        lines = [line.rstrip() for line in found.stdout.strip("\n").splitlines()]
        text = "\n".join(lines).strip("\n")
        parts.append(f"## {' '.join(('pixelmine', *words))}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def _fix_terminal() -> None:
    """Typer measures its terminal when it is imported; here every machine has the same one."""
    for name in ("FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS"):
        os.environ.pop(name, None)
    os.environ.update(COLUMNS=str(WIDTH), TERMINAL_WIDTH=str(WIDTH), NO_COLOR="1")


def _commands(command: object, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words of a command and of those below it, in the order of the program's own help."""
    yield words
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*words, name))


if __name__ == "__main__":
    sys.exit(main())
