"""Whose changes of the shared state a resource sees.

All provisioners of a project share one JSON object; each answer may carry a merge patch for it. The
Go score-flyio calls one provisioner after the other, so that each sees what those before it left.
Here they run at the same time, and still nothing depends on who is faster:

- A provisioner that is known never to touch the shared state waits for nobody; its resource sees
  the state at the start of the run, with the changes of the resources that its params refer to.
- Resources of provisioners that do change it go one after the other, in provisioning order, and
  each sees the changes of those before it, as with the Go tool.
- Provisioners that are known to change one key of it alone only go behind those of the same key,
  and of these only behind the first that succeeds: it makes what all share, such as a server. The
  others go at the same time, and what they add to lists under their key is added together.
- A provisioner of which nothing is known yet is counted among the latter until its first answer,
  unless the caller asks for everything at once: then it is taken for one that changes nothing.
- All patches are merged in provisioning order, whatever the order in which they arrive.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from score_flyio.base.record import define, field
from score_flyio.score.resources import JsonObject, ResourceUid


def merge_patch(target: Any, patch: Any) -> Any:
    """`target` changed by a JSON merge patch (RFC 7386); nothing is changed in place."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def merge_beside(target: Any, patch: Any, seen: Any) -> Any:
    """The same, for the patch of one that saw `seen`, while others have changed `target` since.

    Of lists, what the patch adds to and takes from the seen one is added and taken.
    """
    match patch:
        case dict():
            before = seen if isinstance(seen, dict) else {}
            merged = dict(target) if isinstance(target, dict) else {}
            for key, value in patch.items():
                if value is None:
                    merged.pop(key, None)
                else:
                    merged[key] = merge_beside(merged.get(key), value, before.get(key))
            return merged
        case list() if isinstance(target, list):
            gone = [item for item in seen if item not in patch] if isinstance(seen, list) else []
            left = [item for item in target if item not in gone]
            return [*left, *(item for item in patch if item not in left)]
        case _:
            return patch


@define(kw_only=True, eq=False, repr=False)
class Sharing:
    """The shared state during one run."""

    base: JsonObject
    """As it was at the start."""
    order: tuple[ResourceUid, ...]
    served_by: Mapping[ResourceUid, str]
    """Id of the provisioner of each resource that has one."""
    changes: dict[str, bool | None]
    """Provisioner id → whether it changes the shared state; None: not known yet."""
    keys: Mapping[str, str] = field(factory=dict)
    """Provisioner id → the only key of the shared state that it reads and changes."""
    _rank: dict[ResourceUid, int] = field(init=False)
    _first: dict[str, ResourceUid] = field(init=False)
    _patches: dict[ResourceUid, JsonObject] = field(init=False, factory=dict)
    _seen: dict[ResourceUid, frozenset[ResourceUid]] = field(init=False, factory=dict)
    _views: dict[ResourceUid, JsonObject] = field(init=False, factory=dict)
    _complete: set[ResourceUid] = field(init=False, factory=set)

    def __attrs_post_init__(self) -> None:
        self._rank = {uid: rank for rank, uid in enumerate(self.order)}
        self._first = {}
        for uid in self.order:
            if uid in self.served_by:
                self._first.setdefault(self.served_by[uid], uid)

    async def turn(
        self,
        uid: ResourceUid,
        needs: frozenset[ResourceUid],
        finished: Callable[[ResourceUid], Awaitable[None]],
    ) -> None:
        """Wait until it is the turn of `uid`, whose `needs` have finished; `finished` waits."""
        waited = set(needs)
        provisioner = self.served_by[uid]
        first = self._first[provisioner]
        if self.changes[provisioner] is None and uid != first:
            await finished(first)
            if not self.changes[provisioner]:
                waited |= {first, *self._seen.get(first, ())}
        if self.changes[provisioner] is not False:
            for earlier in self.order[: self._rank[uid]]:
                if self._goes_in_turn(earlier) and not self._apart(provisioner, earlier):
                    await finished(earlier)
                    waited.add(earlier)
                    if provisioner in self.keys and earlier in self._complete:
                        break
        changed = waited & self._patches.keys()
        self._seen[uid] = frozenset(changed).union(*(self._seen.get(w, ()) for w in waited))
        self._views[uid] = self._merged(self._seen[uid])

    def _apart(self, provisioner: str, earlier: ResourceUid) -> bool:
        """Whether a provisioner has a key of its own, and `earlier` does not touch it."""
        key = self.keys.get(provisioner)
        return key is not None and self.keys.get(self.served_by.get(earlier, "")) != key

    def _goes_in_turn(self, uid: ResourceUid) -> bool:
        provisioner = self.served_by.get(uid)
        if provisioner is None:
            return False
        changes = self.changes[provisioner]
        return changes is True or (changes is None and self._first[provisioner] == uid)

    def view(self, uid: ResourceUid) -> JsonObject:
        """The shared state as `uid` gets to see it."""
        return self._views[uid]

    def merged(self) -> JsonObject:
        """The shared state with all changes so far."""
        return self._merged(self._patches.keys())

    def _merged(self, which: AbstractSet[ResourceUid]) -> JsonObject:
        merged: JsonObject = self.base
        for uid in sorted(self._patches.keys() & which, key=self._rank.__getitem__):
            patch = self._patches[uid]
            if self.served_by[uid] in self.keys:
                merged = merge_beside(merged, patch, self._views[uid])
            else:
                merged = merge_patch(merged, patch)
        return merged

    def answered(
        self, uid: ResourceUid, patch: JsonObject | None, *, complete: bool = True
    ) -> None:
        """Take in the patch of an answer, and learn from it about the provisioner.

        `complete` is whether the resource is there; a failure may have been answered, too.
        """
        if complete:
            self._complete.add(uid)
        provisioner = self.served_by[uid]
        if patch:
            self._patches[uid] = patch
        self.changes[provisioner] = bool(patch) or self.changes[provisioner] is True

    def gave_no_answer(self, uid: ResourceUid) -> None:
        """The call failed: until it is known better the provisioner counts as one that changes."""
        provisioner = self.served_by.get(uid)
        if provisioner is not None and self.changes[provisioner] is None:
            self.changes[provisioner] = True
