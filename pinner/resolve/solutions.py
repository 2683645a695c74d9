"""The versions that could fulfil a need, in the order in which apt tries them (apt's CompareProviders)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from itertools import groupby

from pinner.resolve.offers import Offer

#: What makes one package preferable to another, smaller is better; see `marks.Marks.solutions`.
Rank = tuple[bool, bool, bool, bool, bool, bool, bool, int]


class Solutions:
    """The versions that could fulfil a need, best first; those in `barred` are passed over.

    Each of the `tiers` has the ranks of its versions, as they were when the need was looked at. Among equals what apt
    met last comes first (`order`). To know that takes reading all of an index, and mostly an earlier one is taken.
    """

    def __init__(
        self, tiers: Sequence[Mapping[Offer, Rank]], barred: Set[Offer], order: Callable[[str], int]
    ) -> None:
        self.offers = frozenset(offer for tier in tiers for offer in tier) - barred
        self._tiers = tiers
        self._barred = barred
        self._order = order

    def __iter__(self) -> Iterator[Offer]:
        last = None
        for tier in self._tiers:
            for _, equals in groupby(sorted(tier, key=tier.__getitem__), tier.__getitem__):
                tied = list(equals)
                if len(tied) > 1:
                    tied.sort(key=lambda offer: -self._order(offer.name))
                for offer in tied:
                    if offer is not last and offer not in self._barred:
                        yield offer
                    last = offer

    @property
    def sole(self) -> bool:
        """Whether there is one to try, once."""
        return len(self.offers) == 1 and len(list(self)) == 1
