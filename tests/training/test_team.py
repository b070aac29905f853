"""Two processes train what one trains: same losses, same weights, after a kill too, however the weights are held."""

from pathlib import Path

import pytest
import torch

from reverie.core import ReverieError
from reverie.training.config import TrainerConfig
from reverie.training.launch import check_processes, launch

from . import team_runs
from .team_runs import lines, run, weights

TOLERANCE = 2e-6  # float32: sums in another order
ROUNDED = 2e-5


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("team")
    launch(2, team_runs.in_a_team, out)
    run(out / "one")
    run(out / "pieces", micro_batches=2)
    run(out / "dropout", dropout=0.5, micro_batches=2)
    run(out / "lora", rank=2)
    return out


def _same(a: Path, b: Path) -> None:
    """Every logged number (rounded to five digits there) and every weight."""
    for one, other in zip(lines(a), lines(b), strict=True):
        assert one.pop("phase") == other.pop("phase")
        assert one == pytest.approx(other, rel=ROUNDED, abs=ROUNDED)
    found, expected = weights(a), weights(b)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pieces", "ddp", "ddp_pieces", "fsdp", "fsdp_pieces"])
def test_pieces_of_a_batch_train_as_the_whole(trained: Path, name: str) -> None:
    _same(trained / name, trained / "one")


@pytest.mark.slow
def test_shares_draw_as_micro_batches_do(trained: Path) -> None:
    _same(trained / "ddp_dropout", trained / "dropout")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ddp", "fsdp"])
def test_an_interrupted_team_goes_on_bit_by_bit(trained: Path, name: str) -> None:
    assert lines(trained / f"{name}_resumed") == lines(trained / name)
    whole = weights(trained / name)
    assert all(torch.equal(v, whole[k]) for k, v in weights(trained / f"{name}_resumed").items())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ddp_lora", "fsdp_lora"])
def test_a_team_trains_adapters(trained: Path, name: str) -> None:
    _same(trained / name, trained / "lora")


@pytest.mark.slow
def test_one_process_goes_on_where_a_team_stopped(trained: Path) -> None:
    run(trained / "handed_over")
    _same(trained / "handed_over", trained / "one")


def test_a_batch_that_cannot_be_shared() -> None:
    with pytest.raises(ReverieError, match="need a multiple of 6"):
        TrainerConfig(batch_size=32, micro_batches=2).check_split(3)


def test_processes_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ReverieError, match="processes is 0"):
        check_processes(0)
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "4")
    check_processes(4)
    with pytest.raises(ReverieError, match="starts 4"):
        check_processes(2)


@pytest.mark.slow
def test_what_fails_in_one_process_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReverieError, match="nothing in"):
        launch(2, team_runs.failing, tmp_path)
