from __future__ import annotations

import copy
import pickle
import typing

import pytest

from pinner.values import NamedTuple


class Ours(NamedTuple):
    """A value."""

    name: str
    size: int = 3
    rest: tuple[str, ...] = ()

    @property
    def twice(self) -> int:
        return self.size * 2


class Theirs(typing.NamedTuple):
    name: str
    size: int = 3
    rest: tuple[str, ...] = ()


def test_values_are_as_those_of_typing() -> None:
    ours, theirs = Ours("a", rest=("b",)), Theirs("a", rest=("b",))
    assert tuple(ours) == theirs
    assert ours.twice == 6
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert (Ours._fields, Ours._field_defaults) == (Theirs._fields, Theirs._field_defaults)
    assert ours._asdict() == theirs._asdict()
    assert tuple(ours._replace(size=1)) == theirs._replace(size=1)
    assert isinstance(ours._replace(size=1), Ours)
    assert tuple(Ours._make(["a", 1, ()])) == Theirs._make(["a", 1, ()])
    assert copy.copy(ours) == pickle.loads(pickle.dumps(ours)) == ours
    assert not hasattr(ours, "__dict__")
    assert Ours.__doc__ == "A value."
    match ours:
        case Ours(name, size=size):
            assert (name, size) == ("a", 3)


@pytest.mark.parametrize(
    "wrong", [{}, {"name": "a", "more": 1}, {"name": "a", "size": 1, "rest": (), "x": 2}]
)
def test_other_arguments_are_refused(wrong: dict[str, typing.Any]) -> None:
    for each in (Ours, Theirs):
        with pytest.raises(TypeError):
            each(**wrong)


def test_fields_that_are_not_there_are_not_replaced() -> None:
    with pytest.raises(ValueError, match="more"):
        Ours("a")._replace(more=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Ours._make(["a"])
