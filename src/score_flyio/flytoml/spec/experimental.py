"""`[experimental]`: among other things, the command of the machine."""

from __future__ import annotations

from score_flyio.base.record import Factory, field, frozen


@frozen(kw_only=True)
class AttachedSecrets:
    """`[experimental.attached.secrets]`."""

    export: dict[str, str] = Factory(dict)


@frozen(kw_only=True)
class Attached:
    """`[experimental.attached]`."""

    secrets: AttachedSecrets = field(default=AttachedSecrets(), metadata={"written": ("json",)})


@frozen(kw_only=True)
class ExperimentalSection:
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
