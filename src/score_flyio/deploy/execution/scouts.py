"""Which apps of a run are looked at closely while many wait for their machines at once.

Machines of one run mostly take equally long. So a few apps are looked at closely, and as soon as
one of them is well, the others are looked at, too; until then, seldom.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final

from score_flyio.base.record import define, field

CLOSELY: Final = 4
"""So many apps are looked at closely at the same time."""
SOONER: Final = 0.9
"""Below this share of what was usual, a machine that is well is news for those that wait."""


@define(eq=False)
class Scouts:
    """The apps of a run that wait for machines; those that have waited longest are the scouts."""

    usual: float | None = None
    """Seconds in which a machine of the run became well, the last one that did."""
    _waiting: dict[object, Callable[[], None]] = field(factory=dict, init=False)

    def join(self, app: object, look: Callable[[], None]) -> None:
        """An app waits from now on; `look` is called when it is time to look at its machines."""
        self._waiting.setdefault(app, look)

    def leave(self, app: object) -> None:
        """It waits no more."""
        self._waiting.pop(app, None)

    def closely(self, app: object) -> bool:
        """Whether it is one of the scouts."""
        return any(app is each for each in islice(self._waiting, CLOSELY))

    def found(self, app: object, seconds: float) -> None:
        """A machine of the app is well after so many seconds."""
        usual, self.usual = self.usual, seconds
        if usual is not None and seconds >= usual * SOONER:
            return  # the others know when to look
        others = [look for other, look in self._waiting.items() if other is not app]
        for look in others[CLOSELY - 1 :]:
            look()
