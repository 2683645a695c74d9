"""NamedTuples that are quick to define: a warm run defines more than a hundred before it begins.

`typing.NamedTuple` compiles each annotation and each class's `__new__`; that was a sixth of a warm run.

A dataclass takes longer still; it stays where equality or the repr must differ.
"""

from __future__ import annotations

from collections import _tuplegetter  # type: ignore[attr-defined]
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:

    class _Value(tuple):
        """What the values of all classes can do: as `collections.namedtuple` has it."""

        __slots__ = ()
        _fields = ()

        @classmethod
        def _make(cls, values):
            found = tuple.__new__(cls, values)
            if len(found) != len(cls._fields):
                raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(found)}")
            return found

        def _replace(self, /, **changes):
            found = tuple.__new__(self.__class__, map(changes.pop, self._fields, self))
            if changes:
                raise ValueError(f"Got unexpected field names: {list(changes)!r}")
            return found

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            fields = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
            return f"{self.__class__.__name__}({fields})"

        def __getnewargs__(self):
            return tuple(self)

    class _Define(type):
        """Makes each class below `NamedTuple` one of `_Value`."""

        def __new__(cls, name, bases, namespace):
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            fields = tuple(namespace.get("__annotations__", ()))
            defaults = {each: namespace[each] for each in fields if each in namespace}
            namespace |= {each: _tuplegetter(place, None) for place, each in enumerate(fields)}
            code = _constructor(len(fields)).replace(
                co_varnames=("cls", *fields), co_name=name, co_qualname=f"{name}.__new__"
            )
            made = FunctionType(code, {"_new": tuple.__new__}, "__new__", tuple(defaults.values()))
            own = {"__slots__": (), "_fields": fields, "_field_defaults": defaults, "__match_args__": fields}
            return type.__new__(type, name, (_Value,), {**namespace, **own, "__new__": made})

    class NamedTuple(metaclass=_Define):
        """As `typing.NamedTuple`, where annotations are strings."""


_constructors: dict[int, CodeType] = {}


def _constructor(size: int) -> CodeType:
    """The code of the `__new__` of a tuple of that size; its parameters have names without a meaning."""
    if size not in _constructors:
        names = "".join(f"_{number}, " for number in range(size))
        made: Any = eval(f"lambda cls, {names}: _new(cls, ({names}))")
        _constructors[size] = made.__code__
    return _constructors[size]
