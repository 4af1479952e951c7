"""A disk that is full, and one that cannot be relied on: what was accepted waits, and goes on when the disk is well."""

from __future__ import annotations

import pytest
from processes.serving import until

from campaigns.disk import Disk, DiskCampaign, ShimmedDisk, SmallDisk, may_mount
from campaigns.telling import show

SEED = 1

needs_compiler = pytest.mark.skipif(not ShimmedDisk.possible(), reason="no gcc here to make a failing disk with")


@pytest.fixture
def small_disk(tmp_path):
    if not may_mount(tmp_path):
        pytest.skip("no file system can be mounted here")
    disk = SmallDisk(tmp_path)
    yield disk
    disk.close()


@pytest.fixture
def full_disk(tmp_path):
    return ShimmedDisk(tmp_path, "f")


def fill(disk: Disk) -> None:
    campaign = DiskCampaign(disk, seed=SEED)
    with campaign.at_work():
        until("there is work", lambda: len(campaign.crowd.runs) >= 12)

        def look() -> None:
            answer = campaign.refusal()
            assert answer.status == 507, answer.text
            assert answer.json["code"] == "database_full"
            states = campaign.standing_still()
            assert not {"failed", "interrupted", "timed_out"} & states.keys(), states
            assert campaign.crowd.unfinished()

        campaign.failing(look)
    judgement = campaign.judge()
    show(SEED, judgement.counts)
    assert not judgement.broken, "\n".join(judgement.broken)


def test_file_system_without_room_refuses_starts_and_parks_runs_until_there_is_room(small_disk):
    fill(small_disk)


@needs_compiler
def test_full_disk_refuses_starts_and_parks_runs_until_there_is_room(full_disk):
    fill(full_disk)


@needs_compiler
def test_disk_that_keeps_nothing_ends_workers_with_one_clear_line_and_loses_nothing(tmp_path):
    campaign = DiskCampaign(ShimmedDisk(tmp_path, "s"), seed=SEED)
    with campaign.at_work():
        until("there is work", lambda: len(campaign.crowd.runs) >= 12)

        def look() -> None:
            answer = campaign.refusal()
            assert answer.status == 503, answer.text
            until("a worker says why it leaves", lambda: "SQLITE_IOERR_FSYNC" in campaign.studio.output)

        campaign.failing(look)
    judgement = campaign.judge()
    show(SEED, judgement.counts)
    assert not judgement.broken, "\n".join(judgement.broken)
