"""Lectures on a Ray cluster of several nodes on this machine, one of which is killed in mid run."""

from __future__ import annotations

import importlib.util
import os

import pytest
from conftest import ROOT

from linly import video
from linly.batch import journal, run
from linly.batch.values import Options
from linly.errors import EngineUnavailable

WORDS = "one two three four five six seven eight nine ten eleven twelve"


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not here: requirements-cluster.txt")
def test_a_node_that_is_killed_loses_nothing(models, tmp_path, monkeypatch):
    from ray.cluster_utils import Cluster

    from linly.batch import cluster

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("LINLY_WEIGHTS", str(models))
    monkeypatch.setenv("LINLY_THREADS", "1")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    (tmp_path / "talk.txt").write_text(" ".join(f"This is the sentence with number {word}." for word in WORDS.split()))
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    doomed = [nodes.add_node(num_cpus=1)]
    nodes.wait_for_nodes()
    out = tmp_path / "out"
    makers = cluster.opened(nodes.address, out / run.SEGMENTS)
    assert makers.count == 2

    def look(state: run.State) -> None:
        if doomed and sum(row.made for row in state.rows) >= 2:
            nodes.remove_node(doomed.pop(), allow_graceful=False)

    try:
        report = run.batch([tmp_path / "talk.txt"], out, Options(size="256"), made_by=makers, tell=look)
    finally:
        makers._ray.shutdown()
        nodes.shutdown()
    [row] = report.rows
    assert not doomed and (row.state, row.made) == ("done", 12), row.error
    made = journal.Journal(out).segments()
    assert len(made) == len(set(made)) == 12
    found = video.probe(row.video)
    assert abs(found.seconds - found.audio_seconds) < 1 / 25
    assert os.listdir(out / run.SEGMENTS) and not list((out / run.SEGMENTS).glob(".linly-*"))


def test_without_ray_or_a_cluster_one_sentence(monkeypatch, tmp_path):
    from linly.batch import cluster

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineUnavailable, match=r"requirements-cluster\.txt"):
        cluster.opened("auto", tmp_path)
