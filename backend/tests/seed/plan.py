"""What to do with each block of the engine's part: its scenes, and what holds for a block in every scene."""

from __future__ import annotations

from seed.reference import REFERENCE
from seed.tutorial import TUTORIAL

PLAN = (*TUTORIAL, *REFERENCE)

ENGINE_ENDS = 1287
"""The last line that is about workflows; llama_deploy follows."""

INTO = {
    189: "MyWorkflow",
    309: "StatefulFlow",
    671: "MainWorkflow",
    923: "JokeFlow",
    943: "JokeFlow",
    994: "Asking",
    1016: "Answering",
    1119: "Policy",
}
"""Blocks that show a method, or a piece of a class, alone: the class they go into."""

PARTS = {1358: (1364, 1391)}
"""A block of the deployment's part that defines a workflow before it deploys it: the lines that concern the engine."""
