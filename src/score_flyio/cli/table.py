"""Which commands there are, without importing any of them."""

from typing import Final

SECTIONS: Final[dict[str, dict[str, str]]] = {
    "Project": {
        "init": "Start a project in this folder.",
        "generate": "Provision resources and write fly.toml files.",
        "workloads": "List or remove the workloads of this project.",
        "provisioners": "List, add or remove provisioners.",
        "resources": "List, read or deprovision resources.",
        "state": "Show, move or unlock the project state.",
    },
    "Deploy": {
        "deploy": "Deploy workloads or fly.toml files to Fly.io.",
        "plan": "Show what deploy would do.",
        "status": "Show what runs.",
        "logs": "Show what the machines print.",
        "releases": "List what was deployed when.",
        "rollback": "Go back to an earlier release.",
        "scale": "Change the count and size of machines.",
        "secrets": "List, set, unset or import secrets.",
        "ips": "List, allocate or release addresses.",
        "certs": "List, add, check or remove certificates.",
        "destroy": "Delete machines, volumes, addresses, apps and resources.",
    },
    "Tools": {
        "config": "Validate, render, save or compare fly.toml files.",
        "emulator": "Run the embedded Fly platform emulator.",
        "doctor": "Check token, reachability, registry, builder and state.",
        "builtin-provisioners": "Provisioners that speak the protocol on stdin and stdout.",
        "schema": "Print what programs can rely on in --json and --events.",
        "version": "Print the version.",
        "check-version": "Check the version against a constraint.",
        "completion": "Print a shell completion script.",
    },
}
"""By section of the help, and by name, what it says of each; its module in `cli.commands` is called
as it, and has it as `command`."""

COMMANDS: Final[dict[str, str]] = {
    name: told for commands in SECTIONS.values() for name, told in commands.items()
}
