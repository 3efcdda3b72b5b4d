"""`[experimental]`: among other things, the command of the machine."""

from __future__ import annotations

from attrs import Factory, field, frozen

from score_flyio.base.record import Record


@frozen(kw_only=True, eq=False, repr=False)
class AttachedSecrets(Record):
    """`[experimental.attached.secrets]`."""

    export: dict[str, str] = Factory(dict)


@frozen(kw_only=True, eq=False, repr=False)
class Attached(Record):
    """`[experimental.attached]`."""

    secrets: AttachedSecrets = field(default=AttachedSecrets(), metadata={"written": ("json",)})


@frozen(kw_only=True, eq=False, repr=False)
class ExperimentalSection(Record):
    """`[experimental]`."""

    cmd: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    exec: tuple[str, ...] = ()
    auto_rollback: bool = False
    enable_consul: bool = False
    enable_etcd: bool = False
    lazy_load_images: bool = False
    machine_config: str = ""
    attached: Attached = field(default=Attached(), metadata={"written": ("json",)})
