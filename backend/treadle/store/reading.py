"""A connection that page queries read through, under a name that other storeys may use."""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy import Connection

Reader: TypeAlias = Connection
