"""A disk that is full, and one that cannot be relied on: what was accepted waits, and goes on when the disk is well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns.disk import ShimmedDisk, SmallDisk, distrust, fill, may_mount
from campaigns.journal import Judgement
from campaigns.telling import show

SEED = 1

needs_compiler = pytest.mark.skipif(not ShimmedDisk.possible(), reason="no gcc here to make a failing disk with")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    if not may_mount(tmp_path):
        pytest.skip("no file system can be mounted here")
    disk = SmallDisk(tmp_path)
    yield disk
    disk.close()


def kept(judgement: Judgement) -> None:
    show(SEED, judgement.counts, judgement.broken)
    assert not judgement.broken, "\n".join(judgement.broken)


def test_file_system_without_room_refuses_starts_and_parks_runs_until_there_is_room(small_disk: SmallDisk) -> None:
    kept(fill(small_disk, seed=SEED))


@needs_compiler
def test_full_disk_refuses_starts_and_parks_runs_until_there_is_room(tmp_path: Path) -> None:
    kept(fill(ShimmedDisk(tmp_path, "f"), seed=SEED))


@needs_compiler
def test_disk_that_keeps_nothing_ends_workers_with_a_clear_word_and_loses_nothing(tmp_path: Path) -> None:
    kept(distrust(ShimmedDisk(tmp_path, "s"), seed=SEED))
