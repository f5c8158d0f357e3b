"""Tries a damaged module: imports it instead of the real one in a process of its own, and lets the tests judge.

Invariant: a trial begins with nothing of the product imported, and ends with its process.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from types import FrameType, ModuleType

import pytest

from tests.mutation.beyond import Mutant

PATIENCE_S = 40.0
"""Seconds of the processor's time that the tests may take: a mutant that loops for ever is noticed as well.

Not of the wall's: on a busy machine the unharmed code would seem to loop.
"""


class _Instead(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the damaged text to whoever imports the module."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.mutant.module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.text, f"<{self.mutant.module}, damaged>", "exec"), module.__dict__)  # noqa: S102 - our own module, a little damaged


def survivors(
    mutants: Sequence[Mutant], unharmed: Mutant, options: Sequence[str], tests: Sequence[str]
) -> list[Mutant]:
    """Return the mutants that no test notices. `options` and `tests` are pytest's.

    The `unharmed` module is tried first: tests that fail with it, or do not even begin, would condemn every mutant.
    """
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    fork = get_context("fork")  # what is imported here, pytest and Hypothesis, need not be imported for each
    with fork.Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        tried = pool.imap(_try, ((mutant, options, tests) for mutant in [unharmed, *mutants]))
        _, noticed = next(tried)
        if noticed:
            raise RuntimeError(f"the tests do not pass with {unharmed.module} unharmed")
        return [mutant for mutant, noticed in tried if not noticed]


def _lose_patience(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError


def _try(task: tuple[Mutant, Sequence[str], Sequence[str]]) -> tuple[Mutant, bool]:
    mutant, options, tests = task
    if any(name.startswith("reminders") for name in sys.modules):
        raise RuntimeError("the product was imported before it could be damaged")
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.meta_path.insert(0, _Instead(mutant))
    name = mutant.module.rpartition(".")[2]
    own = sorted(str(path) for path in Path("tests").glob(f"*/test_{name}*.py"))
    signal.signal(signal.SIGVTALRM, _lose_patience)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE_S, 1.0)
    quick = [*options, "-x", "-q", "--override-ini=timeout=0"]
    noticed = any(pytest.main([*quick, *chosen]) != pytest.ExitCode.OK for chosen in (own, tests) if chosen)
    return mutant, noticed
