"""What a visitor asks a graph to show: all of it is in the query string, so that a link keeps it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query

from treadle.store.choices import Choice
from treadle.visualizer.geometry import Direction

_NAMES = {"executed": "only", "number": "pass", "listed": "filter"}
"""Names in the query string that are not the fields' own."""


@dataclass(frozen=True, slots=True)
class View:
    """How a graph is drawn and what of it is pointed at.

    `executed` draws only what a run did, `at` is the entry up to which it is told, `sel` the id of a node or the key of
    an edge; with `listed` only its entries are shown. `number` is a pass through the step `loop`.
    """

    compact: bool = False
    direction: Direction = "TB"
    executed: bool = False
    at: int | None = None
    sel: str = ""
    listed: bool = False
    loop: str = ""
    number: int | None = None

    def link(self, **changes: Any) -> str:
        """The query string of this view with some `changes`; a lone `?` for what is shown when nothing is asked."""
        changed = asdict(replace(self, **changes))
        kept = {
            _NAMES.get(field.name, field.name): 1 if changed[field.name] is True else changed[field.name]
            for field in fields(View)
            if changed[field.name] != field.default
        }
        return f"?{urlencode(kept)}"

    def page(self, **where: int) -> str:
        """The query string of another page of the entries, told by `before` or `after`."""
        rest = self.link()[1:]
        return f"?{urlencode(where)}" + (f"&{rest}" if rest else "")

    @property
    def choice(self) -> Choice:
        """The entries that belong to what is pointed at."""
        return chosen(self.sel) if self.listed else Choice()


def view_of(
    compact: bool = False,
    direction: Direction = "TB",
    only: bool = False,
    at: Annotated[int | None, Query(ge=1)] = None,
    sel: Annotated[str, Query(max_length=500)] = "",
    filter: bool = False,  # noqa: A002 - the name in the URL
    loop: Annotated[str, Query(max_length=200)] = "",
    number: Annotated[int | None, Query(alias="pass", ge=1)] = None,
) -> View:
    """The view in a request's query string."""
    return View(compact, direction, only, at, sel, filter and bool(sel), loop, number)


Viewed = Annotated[View, Depends(view_of)]


def chosen(sel: str) -> Choice:
    """The entries that belong to a node, by its id, or that tell of an edge, by its key."""
    ends = [end.partition(":")[::2] for end in sel.split(">")]
    (kind, name), (last, goal) = ends[0], ends[-1]
    if len(ends) == 1:
        if kind == "person":
            return Choice(kinds=("response_received",))
        return Choice(events=(name,)) if kind == "event" else Choice(step=name)
    via = tuple(event.rpartition(":")[2] for event in sel.split(">")[1].split("+")) if len(ends) == 3 else ()
    if last in ("flow", "run"):
        return Choice(step=name, kinds=("child_started", "child_ended"))
    if kind == "step":
        return Choice(step=name, events=via or (goal,), taker=goal if last == "step" else None)
    events = (name,) if kind == "event" else (goal,)
    return Choice(events=events, taker=goal if last == "step" else None)
