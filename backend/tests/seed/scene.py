"""The form of the plan: a scene is one run of one block, with what comes before it and what has to come of it.

Before it come earlier blocks of the same lesson and, where the seed leaves something out, text of ours, which is of one
of three kinds: an import the seed leaves to its reader, a name the seed never defines, scenery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An import of a real module that the seed does not print."""

    source: str


@dataclass(frozen=True, slots=True)
class Undefined:
    """A definition of names that the seed uses and never defines: without it the block cannot run."""

    source: str


@dataclass(frozen=True, slots=True)
class Scenery:
    """Code of ours around a method that is shown without any class, or before a block that goes on with a workflow."""

    source: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A file the scene draws: words it must show, words it must not."""

    name: str
    shows: tuple[str, ...]
    hides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """One run of one block."""

    line: int
    before: tuple[int | LeftOut | Undefined | Scenery, ...] = ()
    then: str = ""
    """What a reader types next, where the block only defines."""
    prints: str | None = None
    """All that is printed, exactly; None where it does not matter."""
    mixes: tuple[str, ...] = ()
    """All that is printed, as texts whose lines come in order each, and mixed as the network has it."""
    leaves: Mapping[str, Any] = field(default_factory=dict)
    """Names and what they are equal to when the scene is over."""
    draws: tuple[Picture, ...] = ()
    raises: str = ""
    """The error it must end with, type and message."""
    types: str = ""
    """What the person at the keyboard types."""
    lots: int = 0
    """The seed of `random`."""
    hurried: bool = False
    """Whether the block sleeps: its clock then jumps over the time in between."""
    today: str = ""
    """The day the scene plays on, an ISO date."""
    note: str = ""
    """Tells apart the scenes of one block."""
