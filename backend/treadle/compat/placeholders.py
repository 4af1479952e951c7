"""Placeholders: names that a workflow file may import although Treadle does not do, yet or ever, what they are for."""

from __future__ import annotations

import importlib
import json
from functools import cache
from typing import Any, NoReturn


@cache
def placeholder(name: str, why: str) -> type:
    """A class of this name. Calling it, or a class made from it, raises TreadleError with `why`.

    >>> ControlPlaneConfig = placeholder("ControlPlaneConfig", "There is no control plane yet.")
    >>> ControlPlaneConfig(port=8000)
    Traceback (most recent call last):
    treadle.errors.TreadleError: There is no control plane yet.
    """

    def refuse(_: type, *args: object, **kwargs: object) -> NoReturn:  # noqa: ARG001 - whatever it is called with
        raise importlib.import_module("treadle").TreadleError(why)

    return type(name, (), {"__new__": refuse, "__module__": __name__, "__doc__": why})


def deployment(name: str) -> type:
    """The placeholder of a name that deploys workflows as services."""
    return placeholder(
        name,
        f"{name} is of the deployment of workflows as services, which Treadle does not have yet; "
        "`treadle serve FILE` runs the workflows of a file on this machine.",
    )


def useless(name: str, instead: str) -> type:
    """The placeholder of a name whose work Treadle does in another way."""
    return placeholder(name, f"Treadle has no {name}: {instead}.")


class JsonSerializer:
    """Values as JSON text and back. A context is saved as JSON anyway, so nothing needs to be given one.

    >>> JsonSerializer().deserialize(JsonSerializer().serialize({"topic": "pirates"}))
    {'topic': 'pirates'}
    """

    def serialize(self, value: Any) -> str:
        """`value` as JSON text. Raises TypeError for what JSON has no form for."""
        return json.dumps(value)

    def deserialize(self, value: str) -> Any:
        """What `serialize` wrote."""
        return json.loads(value)
