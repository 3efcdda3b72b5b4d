"""fly.toml as flyctl reads, checks and writes it."""

from score_flyio.app.flytoml.document import FlyTomlDocument, read_fly_toml
from score_flyio.app.flytoml.findings import Finding
from score_flyio.app.flytoml.strict import StrictReport
from score_flyio.app.flytoml.validate import validate, validate_group, warnings_of
from score_flyio.app.flytoml.write import to_json, to_toml, to_workload_toml

__all__ = [
    "Finding",
    "FlyTomlDocument",
    "StrictReport",
    "read_fly_toml",
    "to_json",
    "to_toml",
    "to_workload_toml",
    "validate",
    "validate_group",
    "warnings_of",
]
