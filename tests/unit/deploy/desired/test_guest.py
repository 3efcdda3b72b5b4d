from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fly_machines.models import FlyMachineGuest
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.guest import SIZES, default_guest, guest_of, preset
from score_flyio.flytoml.spec import VmSpec


@pytest.mark.parametrize(
    ("size", "kind", "cpus", "memory", "gpu"),
    [
        ("shared-cpu-1x", "shared", 1, 256, None),
        ("shared-cpu-8x", "shared", 8, 2048, None),
        ("performance-1x", "performance", 1, 2048, None),
        ("performance-14x", "performance", 14, 28672, None),
        ("a100-40gb", "performance", 8, 32768, "a100-pcie-40gb"),
        ("a100-80gb", "performance", 8, 32768, "a100-sxm4-80gb"),
        ("l40s", "performance", 8, 32768, "l40s"),
        ("a10", "performance", 8, 32768, "a10"),
    ],
)
def test_presets(size: str, kind: str, cpus: int, memory: int, gpu: str | None) -> None:
    guest = preset(size)
    assert (guest.cpu_kind, guest.cpus, guest.memory_mb) == (kind, cpus, memory)
    assert (guest.gpu_kind, guest.gpus) == (gpu, 1 if gpu else None)


@pytest.mark.parametrize("size", SIZES)
def test_presets_are_not_shared(size: str) -> None:
    preset(size).memory_mb = 1
    preset(size).extra["x"] = 1
    assert preset(size).memory_mb != 1
    assert preset(size).extra == {}


def test_an_empty_table_pins_the_default_size() -> None:
    assert guest_of(VmSpec()) == default_guest() == preset("shared-cpu-1x")


def test_a_gpu_changes_the_default_size() -> None:
    guest = guest_of(VmSpec(gpu_kind="l40s", gpus=2))
    assert guest == FlyMachineGuest(
        cpu_kind="performance", cpus=8, memory_mb=16384, gpu_kind="l40s", gpus=2
    )


def test_single_keys_win_over_size_and_memory() -> None:
    vm = VmSpec(
        size="performance-2x",
        memory="4gb",
        memory_mb=5120,
        cpus=3,
        max_memory_mb=8192,
        kernel_args=("quiet",),
        persist_rootfs="restart",
        host_dedication_id="own",
    )
    assert guest_of(vm, host_dedication_id="app") == FlyMachineGuest(
        cpu_kind="performance",
        cpus=3,
        memory_mb=5120,
        max_memory_mb=8192,
        kernel_args=["quiet"],
        persist_rootfs="restart",
        host_dedication_id="own",
    )


def test_the_host_of_the_app_applies_where_the_table_names_none() -> None:
    assert guest_of(VmSpec(), host_dedication_id="app").host_dedication_id == "app"


@pytest.mark.parametrize(
    ("vm", "field", "code"),
    [
        (VmSpec(size="shared-cpu-3x"), "vm.size", "unsupported_value"),
        (VmSpec(memory="lots"), "vm.memory", "invalid_size"),
        (VmSpec(memory="1.5"), "vm.memory", "zero"),
        (VmSpec(memory="0mb"), "vm.memory", "zero"),
    ],
)
def test_refused(vm: VmSpec, field: str, code: str) -> None:
    with pytest.raises(ConversionError) as raised:
        guest_of(vm)
    assert (raised.value.field, raised.value.code) == (field, code)
    assert raised.value.hint
    assert (vm.size or vm.memory) in str(raised.value)


def test_an_unknown_size_is_answered_with_near_ones() -> None:
    with pytest.raises(ConversionError) as raised:
        preset("shared-cpu-3x", place="deploy.release_command_vm")
    assert raised.value.field == "deploy.release_command_vm.size"
    assert "shared-cpu-2x" in (raised.value.hint or "")


@given(st.integers(min_value=1, max_value=10**6))
def test_a_plain_number_of_memory_is_mib(amount: int) -> None:
    assert guest_of(VmSpec(memory=str(amount))).memory_mb == amount
    assert guest_of(VmSpec(memory=f"{amount}mb")).memory_mb == amount


@pytest.mark.parametrize(
    ("size", "kind"),
    [
        ("shared-cpu-3x", "shared-cpu"),
        ("shared-2x", "shared-cpu"),
        ("micro-2x", "shared-cpu"),
        ("performance-3x", "performance"),
        ("performance-cpu-2x", "performance"),
        ("PERF-2x", "performance"),
        ("dedicated-cpu-1x", "performance"),
    ],
)
def test_the_sizes_of_a_hint_are_of_the_kind_that_is_meant(size: str, kind: str) -> None:
    with pytest.raises(ConversionError) as raised:
        preset(size)
    (problem,) = raised.value.problems
    named = (problem.hint or "").removeprefix("use one of ").split(", ")
    assert {name.rpartition("-")[0] for name in named} == {kind}
