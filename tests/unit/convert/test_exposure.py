"""Which workloads can be reached from the internet."""

from __future__ import annotations

import pytest

from score_flyio.errors import InputError
from tests.unit.flytoml.conversions import annotated, container, converted

PORTS = "service: {ports: {db: {port: 5432}}}\n"
MAIN = container("")


@pytest.mark.parametrize(
    ("text", "exposure"),
    [
        (MAIN, "private"),
        (MAIN + PORTS, "private"),
        (MAIN + PORTS + "resources: {web: {type: route}}\n", "shared"),
        (MAIN + PORTS + "resources: {name: {type: dns}}\n", "shared"),
        (MAIN + PORTS + "resources: {db: {type: postgres}}\n", "private"),
        (annotated("service-web-handlers: 'tls,http'"), "shared"),
        (annotated("service-web-public: 'true'"), "shared"),
        (annotated("service-web-public: 'false'"), "private"),
        (annotated("service-web-public: dedicated"), "dedicated"),
    ],
)
def test_who_can_reach_a_workload(text: str, exposure: str) -> None:
    assert converted(text, outputs={}, known_later=True).exposure == exposure


def test_other_words_are_refused() -> None:
    with pytest.raises(InputError) as failure:
        converted(annotated("service-web-public: 'yes'"))
    assert failure.value.code == "annotation_invalid"
    assert "must be true, false, dedicated" in str(failure.value)
