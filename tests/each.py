"""One test over many alike: the values of a parameter are gone through in one test, and what fails says for which.

A case of `pytest.mark.parametrize` costs the runner some milliseconds, and 3,000 of them hide what else there is. Only
for tests that leave nothing behind, for all cases of one test share its fixtures.
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import pytest


def each(**values: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """As `parametrize` with these values, by name; marks that stand above one another are one test over all pairs."""

    def mark(test: Callable[..., None]) -> Callable[..., None]:
        all_values = {**{name: list(found) for name, found in values.items()}, **getattr(test, "each_of", {})}
        plain = getattr(test, "each_test", test)

        @functools.wraps(plain)
        def over_all(*arguments: Any, **fixtures: Any) -> None:
            failed: list[BaseException] = []
            for case in product(*all_values.values()):
                named = dict(zip(all_values, case, strict=True))
                try:
                    plain(*arguments, **fixtures, **named)
                except (Exception, pytest.fail.Exception) as error:
                    error.add_note(f"for {', '.join(f'{name}={value}' for name, value in named.items())}")
                    failed.append(error)
            if len(failed) == 1:
                raise failed[0]
            if failed:
                raise BaseExceptionGroup(f"{len(failed)} cases", failed)

        signature = inspect.signature(plain)
        kept = [given for name, given in signature.parameters.items() if name not in all_values]
        over_all.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
        over_all.each_of, over_all.each_test = all_values, plain  # type: ignore[attr-defined]
        return over_all

    return mark
