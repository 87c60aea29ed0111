"""Study folders: whole files or none, one coordinator at a time, one configuration."""

import json
import os
import re
import socket
import subprocess
import sys

import pytest

from studies import StudyConfig
from studies.errors import FolderError
from studies.storage import StudyFolder, write_atomically, write_json

CONFIG = StudyConfig.from_toml("quickstart")


class PowerCutError(Exception):
    """What stops a write half way."""


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    file = tmp_path / "study.toml"
    write_atomically(file, "old")

    def cut(_):
        raise PowerCutError

    monkeypatch.setattr("studies.storage.os.fsync", cut)
    with pytest.raises(PowerCutError):
        write_atomically(file, "new")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_json_never_holds_what_json_does_not_know(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "evaluation.json", {"tortuosity_factor": float("inf")})
    assert not list(tmp_path.iterdir())
    write_json(tmp_path / "evaluation.json", {"unit": "mAh cm⁻²"})
    assert json.loads((tmp_path / "evaluation.json").read_text("utf-8")) == {"unit": "mAh cm⁻²"}


HOLD = """
import sys, time
from pathlib import Path
from studies.storage import StudyFolder
with StudyFolder(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_coordinator_is_refused_with_host_and_process_of_the_first(tmp_path):
    """A real second process; killed without a chance to clean up, it leaves nothing that keeps others out."""
    folder = StudyFolder(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        named = re.escape(f"(process {holder.pid} on {socket.gethostname()})")
        with pytest.raises(FolderError, match=named), folder.locked():
            pass
        holder.kill()
    with folder.locked(), pytest.raises(FolderError, match=rf"process {os.getpid()} on"), folder.locked():
        pass
    with folder.locked():
        pass


def test_another_configuration_is_refused_with_the_keys_that_differ(tmp_path):
    folder = StudyFolder(tmp_path)
    folder.write_config(CONFIG)
    folder.check(CONFIG.model_copy(update={"trials": 60, "description": "more"}))
    other = StudyConfig.from_dict(CONFIG.to_dict() | {"seed": 977, "replicates": 3})
    with pytest.raises(FolderError, match=r"replicates \(2 there, 3 now\), seed \(8117 there, 977 now\)"):
        folder.check(other)


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(FolderError, match="holds other files"):
        StudyFolder(tmp_path).check(CONFIG)


def test_a_folder_whose_coordinator_was_killed_at_once_can_be_used(tmp_path):
    (tmp_path / ".lock").touch()
    (tmp_path / ".study.toml-x1").write_text("half")
    StudyFolder(tmp_path).check(CONFIG)


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_what_is_no_study_folder_is_named(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FolderError, match=name):
        StudyFolder.existing(tmp_path / name)
