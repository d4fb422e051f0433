"""Files that commands write: whole, or not at all; and what is told when they cannot be."""

import gzip
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, TypeVar, cast

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, InternalError, OperationalError, ProgrammingError

from shop.management.progress import plain

# The arguments are wrong, or the file cannot be written: nothing was written.
REFUSED = 2
STOPPED = 130
OUTPUT = "-"
Result = TypeVar("Result")


def write_file(command: BaseCommand, name: str, write: Callable[[TextIO], Result]) -> Result | None:
    """What `write` returns; None when whoever reads the output has had enough.

    Args:
        name: of the file, packed if it ends in .gz; OUTPUT for the command's output.

    Raises:
        CommandError: it could not be written, or somebody stopped it. There is no file then, or
            the one that was there before.
    """
    try:
        with _target(name, plain(command.stdout)) as file:
            return write(file)
    except KeyboardInterrupt:
        raise CommandError("Stopped. No file was written.", returncode=STOPPED) from None
    except (OperationalError, InterfaceError, InternalError, ProgrammingError) as error:
        reason = str(error).splitlines()[0] if str(error) else "no reason given"
        raise CommandError(f"The database cannot be used: {reason}") from None
    except BrokenPipeError:
        # Else Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return None
    except OSError as error:
        reason = error.strerror or "it cannot be written"
        raise CommandError(f"{name}: {reason}.", returncode=REFUSED) from None


def tell(command: BaseCommand, name: str, text: str) -> None:
    """Writes a line about the file `name`; the output is the file's alone."""
    stream = command.stderr if name == OUTPUT else command.stdout
    stream.write(text, lambda line: line)


@contextmanager
def _target(name: str, output: TextIO) -> Iterator[TextIO]:
    """A text file that appears under `name` only when it is complete."""
    if name == OUTPUT:
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(encoding="utf-8", newline="")
        yield output
        output.flush()
        return
    path = Path(name)
    if path.exists() and not path.is_file():
        # Renaming would put the file in place of a device, too.
        raise FileExistsError(None, "it is no regular file")
    # In the same folder, so that renaming it is one step; hidden, and of this process alone.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with ExitStack() as stack:
            binary: BinaryIO = stack.enter_context(unfinished.open("wb"))
            if path.suffix == ".gz":
                # Without name and time, so that the same rows give the same bytes.
                packed = gzip.GzipFile("", "wb", fileobj=binary, mtime=0)
                binary = cast(BinaryIO, stack.enter_context(packed))
            # Excel takes UTF-8 for what it is only after a byte order mark.
            text = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
            yield stack.enter_context(text)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
