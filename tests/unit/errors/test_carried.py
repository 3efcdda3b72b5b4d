"""Errors cross the border of a process, such as that of a pool, with all that they say."""

from __future__ import annotations

import copy
import pickle

import pytest

from score_flyio.deploy.execution.report import AppReport, Report
from score_flyio.errors import (
    DeployError,
    FlyConnectionError,
    FlyProtocolError,
    NotFound,
    Problem,
    RegistryDenied,
    ScoreFileError,
    ScoreFlyError,
)
from score_flyio.errors.fly import ApiAnswer, Request
from score_flyio.resources.provisioner import ProvisionIncomplete, ProvisionResult

REQUEST = Request(method="GET", path="/apps/web")
NOT_FOUND = NotFound(
    REQUEST, ApiAnswer(status=404, message="no app", request_id="r"), hint="make it"
)
ERRORS = [
    ScoreFileError("s.yaml: bad", problems=[Problem(message="bad", file="s.yaml", line=3)]),
    FlyConnectionError("no answer", request=REQUEST, sent=True, hint="again"),
    FlyProtocolError("what?", request=REQUEST),
    NOT_FOUND,
    RegistryDenied("no", anonymous=True, hint="log in"),
    ProvisionIncomplete("half", uid="a.b#c", result=ProvisionResult(state={"made": True})),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_on_the_other_side(error: ScoreFlyError) -> None:
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is type(error)
        assert (str(other), vars(other)) == (str(error), vars(error))


def test_so_is_the_error_of_a_run_with_its_report() -> None:
    report = Report(apps=(AppReport(label="web", outcome="failed", failures=(NOT_FOUND,)),))
    error = DeployError("web: failed", failures=report.failures, report=report)
    other = pickle.loads(pickle.dumps(error))
    assert [failure.hint for failure in other.failures] == ["make it"]
    assert other.report.to_json() == report.to_json()
    assert other.report.failures == other.failures
