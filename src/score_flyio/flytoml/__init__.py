"""fly.toml as flyctl reads, checks and writes it.

Each name is imported on first use: writing needs nothing of what reading and checking need.
"""

from score_flyio.base.lazy import lazily

with lazily(globals()):
    from score_flyio.flytoml.document import FlyTomlDocument as FlyTomlDocument
    from score_flyio.flytoml.document import read_fly_toml as read_fly_toml
    from score_flyio.flytoml.write import to_json as to_json
    from score_flyio.flytoml.write import to_toml as to_toml
    from score_flyio.flytoml.write import to_workload_toml as to_workload_toml
