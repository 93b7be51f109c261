"""What training changed survives the file, and a file that is not the one its card describes is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from index import delta
from index.errors import StoreError


class Network(torch.nn.Module):
    """An encoder with a matrix and a bias, and a head."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.encoder = torch.nn.Linear(40, 30)
        self.head = torch.nn.Linear(30, 2)


def trained() -> tuple[Network, dict[str, Any]]:
    network = Network()
    base = delta.encoder_weights(network)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return network, base


def test_round_trip_keeps_what_was_learnt(tmp_path: Path) -> None:
    network, base = trained()
    delta.save(tmp_path / "skill.safetensors", delta.difference(network, base), {"skill": "test"})
    fresh = Network()
    delta.apply(fresh, delta.load(tmp_path / "skill.safetensors"))
    with torch.no_grad():
        change = network.encoder.weight - base["encoder.weight"]
        step = change.abs().amax(dim=1, keepdim=True) / delta.LARGEST
        assert ((fresh.encoder.weight - network.encoder.weight).abs() <= 0.5 * step + 1e-6).all()
        assert torch.allclose(fresh.encoder.bias, network.encoder.bias, atol=1e-3)  # bfloat16
        assert torch.equal(fresh.head.weight, network.head.weight)


def test_half_a_change_lies_half_way() -> None:
    network, base = trained()
    whole, half = Network(), Network()
    change = delta.difference(network, base)
    delta.apply(whole, change)
    delta.apply(half, delta.interpolated(change, 0.5))
    with torch.no_grad():
        middle = (base["encoder.weight"] + whole.encoder.weight) / 2
        assert torch.allclose(half.encoder.weight, middle, atol=1e-5)
        assert torch.equal(half.head.weight, whole.head.weight)


def test_layers_that_were_not_trained_take_no_room(tmp_path: Path) -> None:
    network, base = trained()
    network.encoder.weight.requires_grad_(False)
    assert set(delta.difference(network, base)) == {"encoder.bias", "head.weight", "head.bias"}


def test_the_card_names_size_and_hash(tmp_path: Path) -> None:
    network, base = trained()
    path = tmp_path / "skill.safetensors"
    delta.save(path, delta.difference(network, base), {"skill": "test", "minutes": 2})
    card = delta.read_card(path)
    assert card == {"skill": "test", "minutes": 2, "sha256": delta.digest(path), "bytes": path.stat().st_size}


@pytest.mark.parametrize("damage", ["bytes", "hash", "card", "no card", "no file"])
def test_damaged_weights_are_refused_with_what_to_do(tmp_path: Path, damage: str) -> None:
    network, base = trained()
    path = tmp_path / "skill.safetensors"
    delta.save(path, delta.difference(network, base), {})
    card = delta.card_path(path)
    if damage == "bytes":
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    elif damage == "hash":
        card.write_text(json.dumps({"sha256": "0" * 64}))
    elif damage == "card":
        card.write_text("{")
    elif damage == "no card":
        card.unlink()
    else:
        path.unlink()
    with pytest.raises(StoreError, match="skill") as caught:
        delta.load(path)
    assert "Install Forage again" in str(caught.value)


def test_the_mean_of_networks_is_the_mean_of_their_parameters() -> None:
    one, other = Network(), Network()
    with torch.no_grad():
        other.encoder.weight.add_(1.0)
        other.head.bias.fill_(4.0)
    expected = (one.encoder.weight.detach() + 0.5, (one.head.bias.detach() + 4.0) / 2)
    mean = delta.averaged([one, other])
    assert torch.allclose(mean.encoder.weight, expected[0])
    assert torch.allclose(mean.head.bias, expected[1])
