"""S5: laying out a graph of 300 nodes, beside elkjs and dagre run by node, each fed the same sizes and edges."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.findings import Finding, log, table
from benchmarks.peers import PeerInstallError, cache
from benchmarks.processes import ChildError, environment
from treadle.visualizer.geometry import Direction
from treadle.visualizer.graph import Edge, Graph, Node, NodeKind, Role, known_edges
from treadle.visualizer.layout import layout
from treadle.visualizer.sizes import size_of

LIMIT = 200.0
PACKAGES = {"elkjs": "elkjs@0.12.1", "dagre": "@dagrejs/dagre@3.1.3"}
WARM_UP = 1
REPEATS = 5

# What stands around both: reads the job, lays out a fresh copy each time, prints the milliseconds of each turn.
_AROUND = """
const job = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const turn = {turn};
(async () => {{
  const took = [];
  for (let at = 0; at < job.turns; at++) {{
    const start = process.hrtime.bigint();
    await turn(job);
    took.push(Number(process.hrtime.bigint() - start) / 1e6);
  }}
  console.log(JSON.stringify(took));
}})().catch((error) => {{ console.error(error); process.exit(1); }});
"""
_TURNS = {
    "elkjs": """(() => {
  const ELK = require("elkjs");
  const elk = new ELK();
  return ({ nodes, edges, direction }) => elk.layout({
    id: "root",
    layoutOptions: {
      "elk.algorithm": "layered", "elk.direction": direction === "TB" ? "DOWN" : "RIGHT",
      "elk.edgeRouting": "ORTHOGONAL",
    },
    children: nodes.map(([id, width, height]) => ({ id, width, height })),
    edges: edges.map(([source, target], at) => ({ id: `e${at}`, sources: [source], targets: [target] })),
  });
})()""",
    "dagre": """(() => {
  const dagre = require("@dagrejs/dagre");
  return ({ nodes, edges, direction }) => {
    const graph = new dagre.graphlib.Graph({ multigraph: true });
    graph.setGraph({ rankdir: direction });
    graph.setDefaultEdgeLabel(() => ({}));
    for (const [id, width, height] of nodes) graph.setNode(id, { width, height });
    for (const [at, [source, target]] of edges.entries()) graph.setEdge(source, target, {}, `e${at}`);
    dagre.layout(graph);
  };
})()""",
}


def measure(*, rounds: int) -> list[Finding]:
    """Wall time of one layout in a warm process, from top to bottom and from left to right."""
    graph = sample(300)
    directions: tuple[Direction, ...] = ("TB", "LR")
    return [_finding(graph, direction, rounds) for direction in directions]


def sample(count: int, *, seed: int = 7) -> Graph:
    """Steps and events in turns, each hung up at one of the last forty, with some more edges any way."""
    lots = random.Random(seed)
    kinds: tuple[tuple[NodeKind, Role, str], ...] = (("event", "plain", "SampleEvent"), ("step", "step", "sample_"))
    nodes: dict[str, Node] = {}
    for at in range(count):
        kind, role, name = kinds[at % 2]
        nodes[f"{kind}:{at}"] = Node(f"{kind}:{at}", kind, f"{name}{at}", role)
    names = list(nodes)
    edges = []
    for at in range(1, count):
        first = max(0, at - 40)
        edges.append(Edge(names[lots.choice(range(first + (at + 1 + first) % 2, at, 2))], names[at]))
    for _ in range(count // 6):
        at = lots.randrange(count)
        other = min(count - 1, max(0, at + lots.choice(range(-31, 32, 2))))
        edges.append(Edge(names[at], names[other]))
    return Graph("Sample", tuple(nodes.values()), known_edges(edges, nodes))


def _finding(graph: Graph, direction: Direction, rounds: int) -> Finding:
    found: dict[str, list[float]] = {}
    failed: dict[str, str] = {}
    for turn in range(rounds):
        log(f"S5 layout {direction}: round {turn + 1} of {rounds}")
        found.setdefault("treadle", []).extend(_ours(graph, direction))
        for name in PACKAGES:
            if name in failed:
                continue
            try:
                found.setdefault(name, []).extend(_theirs(name, graph, direction))
            except (PeerInstallError, ChildError) as failure:
                failed[name] = str(failure)
                found.pop(name, None)
                log(f"  failed: {failure}")
    notes = [f"{len(graph.nodes)} nodes, {len(graph.edges)} edges; {', '.join(PACKAGES.values())}"]
    return Finding(f"S5 layout {direction}", "ms", found, limit=LIMIT, missing=failed, notes=notes)


def _ours(graph: Graph, direction: Direction) -> list[float]:
    took = []
    for _ in range(WARM_UP + REPEATS):
        started = time.perf_counter()
        layout(graph, direction=direction)
        took.append((time.perf_counter() - started) * 1e3)
    return took[WARM_UP:]


def _theirs(name: str, graph: Graph, direction: Direction) -> list[float]:
    """The same in node. Raises PeerInstallError or ChildError."""
    home = _installed(name)
    sizes = [(node.id, size_of(node)) for node in graph.nodes]
    job: dict[str, Any] = {
        "nodes": [[key, size.width, size.height] for key, size in sizes],
        "edges": [[edge.source, edge.target] for edge in graph.edges],
        "direction": direction,
        "turns": WARM_UP + REPEATS,
    }
    script = _AROUND.format(turn=_TURNS[name])
    done = subprocess.run(
        ["node", "-e", script],
        input=json.dumps(job), capture_output=True, text=True, cwd=home, check=False, timeout=600, env=environment(),
    )  # fmt: skip
    if done.returncode != 0:
        raise ChildError(f"{name}: {done.stderr.strip()[-1500:]}")
    took: list[float] = json.loads(done.stdout.splitlines()[-1])
    return took[WARM_UP:]


def _installed(name: str) -> Path:
    """The folder that has the pinned package, installed first if need be. Raises PeerInstallError."""
    package = PACKAGES[name]
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise PeerInstallError(f"{name}: needs node and npm")
    home = cache() / f"{name}-{hashlib.sha256(package.encode()).hexdigest()[:12]}"
    done = home / "complete"
    if not done.exists():
        log(f"Installing {package} into {home}")
        home.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--prefix", str(home), "--no-audit", "--no-fund", "--ignore-scripts", package]
        installed = subprocess.run(install, check=False, capture_output=True, text=True)
        if installed.returncode != 0:
            raise PeerInstallError(f"{name}: {installed.stderr.strip()[-1500:]}")
        done.touch()
    return home


if __name__ == "__main__":
    print(table(measure(rounds=3)))
