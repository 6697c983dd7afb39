"""The CPU limits of containers, in the files of both versions of control groups."""

import pytest

from coinfarm.engines import cores
from coinfarm.engines.cores import CoreShare, available_cores, core_shares, engine_threads, quota_cores

NESTED = "kubepods.slice/pod7.slice/cri-1.scope"


def written(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


V1 = "4:cpu,cpuacct:/docker/abc\n3:cpuset:/docker/abc\n1:name=systemd:/docker/abc\n"
CASES = {
    "no limit": ("0::/\n", {"cpu.max": "max 100000\n"}, None),
    "version 2": ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
    "version 2, less than a core": ("0::/\n", {"cpu.max": "20000 100000\n"}, 0.2),
    "version 2, in a nested group": (
        f"0::/{NESTED}\n",
        {"cpu.max": "max 100000\n", f"{NESTED}/cpu.max": "200000 100000\n"},
        2,
    ),
    "version 2, a stricter group around it": (
        f"0::/{NESTED}\n",
        {"kubepods.slice/cpu.max": "100000 100000\n", f"{NESTED}/cpu.max": "200000 100000\n"},
        1,
    ),
    "version 2, a path outside of what can be seen": ("0::/../../docker/abc\n", {"cpu.max": "300000 100000\n"}, 3),
    "version 1": (V1, {"cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "50000\n", "cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000\n"}, 0.5),
    "version 1, as a container sees it": (V1, {"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "200000\n"}, 2),
    "version 1 without a limit": (V1, {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
    "both versions": (
        f"{V1}0::/docker/abc\n",
        {"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n", "unified/docker/abc/cpu.max": "max 100000\n"},
        1,
    ),
    "only other controllers": ("3:cpuset:/a\n", {"cpuset/a/cpu.max": "1 100000\n"}, None),
    "an unknown format": ("0::/\n", {"cpu.max": "much\n"}, None),
}


@pytest.mark.parametrize(("membership", "files", "quota"), CASES.values(), ids=CASES)
def test_reads_the_limit_of_a_container(tmp_path, membership, files, quota):
    groups = written(tmp_path / "cgroup", files)
    (tmp_path / "membership").write_text(membership)
    assert quota_cores(groups, tmp_path / "membership") == quota


def test_a_machine_without_control_groups_has_no_limit(tmp_path):
    assert quota_cores(tmp_path / "cgroup", tmp_path / "membership") is None


@pytest.fixture
def machine(monkeypatch):
    """Set the affinity and the limit of this process."""

    def machine(count, quota):
        monkeypatch.setattr(cores, "machine_cores", lambda: count)
        monkeypatch.setattr(cores, "quota_cores", lambda: quota)
        available_cores.cache_clear()

    yield machine
    available_cores.cache_clear()


@pytest.mark.parametrize(
    ("count", "quota", "expected", "threads"),
    [(8, None, 8, None), (8, 1.0, 1, 1), (8, 1.5, 2, 2), (8, 0.2, 1, 1), (2, 4.0, 2, None), (1, 1.0, 1, None)],
)
def test_the_smaller_of_affinity_and_limit_counts(machine, count, quota, expected, threads):
    machine(count, quota)
    assert (available_cores(), engine_threads(None), engine_threads(3)) == (expected, threads, 3)


def test_processes_are_bound_to_cores_of_their_own(machine, monkeypatch):
    machine(5, None)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3, 7})
    shares = core_shares(2)
    assert [share.threads for share in shares] == [None, None]
    assert sorted(core for share in shares for core in share.cores) == [0, 1, 2, 3, 7]
    assert {len(share.cores) for share in shares} == {2, 3}


@pytest.mark.parametrize(("count", "quota", "processes", "threads"), [(8, 4.0, 2, 2), (8, 1.0, 2, 1), (2, None, 3, 1)])
def test_processes_of_a_limited_container_share_its_threads(machine, count, quota, processes, threads):
    machine(count, quota)
    assert core_shares(processes) == [CoreShare(threads=threads)] * processes
