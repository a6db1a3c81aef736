"""Checkpoints: atomic writing, and errors that say what is wrong."""

import errno
from pathlib import Path

import pytest
import torch

from inference import load_checkpoint, load_weights, save_checkpoint
from pyro_nem.errors import CheckpointError, StorageError
from pyro_nem.files import replacing, without_nan, write_json


def test_round_trip(tmp_path):
    content = {"weights": {"a": torch.arange(3.0)}, "update": 7, "text": "x", "none": None}
    save_checkpoint(tmp_path / "c.pt", content)
    found = load_checkpoint(tmp_path / "c.pt")
    assert torch.equal(found["weights"]["a"], content["weights"]["a"])
    assert (found["update"], found["text"], found["none"]) == (7, "x", None)
    assert [p.name for p in tmp_path.iterdir()] == ["c.pt"]


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "c.pt"
    save_checkpoint(path, {"update": 1})

    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(StorageError, match=r"cannot write .*c\.pt.*No space left"):
            save_checkpoint(path, {"update": 2})
    assert load_checkpoint(path)["update"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["c.pt"]


def test_a_kill_before_the_rename_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "c.pt"
    save_checkpoint(path, {"update": 1})

    class KilledError(BaseException):
        pass

    def killed(self, target):
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KilledError):
            save_checkpoint(path, {"update": 2})
    assert load_checkpoint(path)["update"] == 1


@pytest.mark.parametrize("keep", [0, 10, 500, 0.5, 0.99])
def test_a_truncated_checkpoint_is_called_corrupt(tmp_path, keep):
    path = tmp_path / "c.pt"
    save_checkpoint(path, {"a": torch.randn(500)})
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if keep < 1 else keep])
    with pytest.raises(CheckpointError, match=r"c\.pt: the checkpoint is corrupt"):
        load_checkpoint(path)


def test_a_flipped_bit_is_noticed(tmp_path):
    path = tmp_path / "c.pt"
    save_checkpoint(path, {"a": torch.zeros(500)})
    data = bytearray(path.read_bytes())
    place = data.index(bytes(400)) + 200  # among the weights
    data[place] ^= 64
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"the checksum of .* is wrong"):
        load_checkpoint(path)


def test_other_files_are_no_checkpoints(tmp_path):
    path = tmp_path / "c.pt"
    with pytest.raises(CheckpointError, match="found no such file"):
        load_checkpoint(path)
    path.write_text("hello")
    with pytest.raises(CheckpointError, match="corrupt or no checkpoint"):
        load_checkpoint(path)
    torch.save({"a": 1}, path)
    with pytest.raises(CheckpointError, match="expected a checkpoint of format 1"):
        load_checkpoint(path)
    torch.save(torch.nn.Linear(2, 2), path)
    with pytest.raises(CheckpointError, match="corrupt or no checkpoint"):
        load_checkpoint(path)


def test_another_architecture_is_described():
    module = torch.nn.Linear(3, 2)
    good = module.state_dict()
    with pytest.raises(CheckpointError, match=r"weight is \(2, 4\) and should be \(2, 3\)"):
        load_weights(module, {**good, "weight": torch.zeros(2, 4)}, Path("c.pt"))
    with pytest.raises(CheckpointError, match="bias is missing"):
        load_weights(module, {"weight": good["weight"]}, Path("c.pt"))
    with pytest.raises(CheckpointError, match="extra is unknown here"):
        load_weights(module, {**good, "extra": good["bias"]}, Path("c.pt"))


def test_json_has_no_nan(tmp_path):
    write_json(tmp_path / "a.json", {"a": float("nan"), "b": [1.0, {"c": float("nan")}]})
    assert (tmp_path / "a.json").read_text().count("null") == 2
    assert without_nan((1, "x")) == [1, "x"]


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="cannot write"), replacing(tmp_path / "no" / "a.txt"):
        pass
