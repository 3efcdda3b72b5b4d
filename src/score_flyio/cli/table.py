"""Which commands there are, without importing any of them."""

from typing import Final, NamedTuple


class Entry(NamedTuple):
    """One command: where it is, and its line in the help."""

    name: str
    help: str
    module: str
    """Module in `cli.commands`; the command is its attribute `command`."""


SECTIONS: Final[dict[str, tuple[Entry, ...]]] = {
    "Project": (
        Entry("init", "Start a project in this folder.", "init"),
        Entry("generate", "Provision resources and write fly.toml files.", "generate"),
        Entry("workloads", "List or remove the workloads of this project.", "workloads"),
        Entry("provisioners", "List, add or remove provisioners.", "provisioners"),
        Entry("resources", "List, read or deprovision resources.", "resources"),
        Entry("state", "Show, move or unlock the project state.", "state"),
    ),
    "Deploy": (
        Entry("deploy", "Deploy workloads or fly.toml files to Fly.io.", "deploy"),
        Entry("plan", "Show what deploy would do.", "plan"),
        Entry("status", "Show what runs.", "status"),
        Entry("logs", "Show what the machines print.", "logs"),
        Entry("releases", "List what was deployed when.", "releases"),
        Entry("rollback", "Go back to an earlier release.", "rollback"),
        Entry("scale", "Change the count and size of machines.", "scale"),
        Entry("secrets", "List, set, unset or import secrets.", "secrets"),
        Entry("ips", "List, allocate or release addresses.", "ips"),
        Entry("certs", "List, add, check or remove certificates.", "certs"),
        Entry("destroy", "Delete machines, volumes, addresses, apps and resources.", "destroy"),
    ),
    "Tools": (
        Entry("config", "Validate, render, save or compare fly.toml files.", "config"),
        Entry("emulator", "Run the embedded Fly platform emulator.", "emulator"),
        Entry("doctor", "Check token, reachability, registry, builder and state.", "doctor"),
        Entry(
            "builtin-provisioners",
            "Provisioners that speak the protocol on stdin and stdout.",
            "builtin_provisioners",
        ),
        Entry("schema", "Print what programs can rely on in --json and --events.", "schema"),
        Entry("version", "Print the version.", "version"),
        Entry("check-version", "Check the version against a constraint.", "check_version"),
        Entry("completion", "Print a shell completion script.", "completion"),
    ),
}

COMMANDS: Final[dict[str, Entry]] = {
    entry.name: entry for entries in SECTIONS.values() for entry in entries
}
