"""A provisioner that is a set of templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from anyio import to_thread

from score_flyio.base.record import field, frozen
from score_flyio.errors import ProvisionFailed
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.resources.sharing import merge_patch
from score_flyio.resources.template.entry import Entry
from score_flyio.resources.template.render import Renderer, RenderError
from score_flyio.resources.template.surroundings import Surroundings, VariableError
from score_flyio.score.resources import JsonObject


@frozen
class TemplateProvisioner:
    """Renders the sections of an entry, one after the other; each sees the results before it."""

    entry: Entry
    surroundings: Callable[[], Surroundings] = field(repr=False)

    @property
    def uses_shared(self) -> bool | None:
        return "shared" in self.entry.sections

    async def provision(self, request: ProvisionRequest) -> ProvisionResult:
        # What is left alone in its thread is bounded in time.
        return await to_thread.run_sync(self.render, request, abandon_on_cancel=True)

    def render(self, request: ProvisionRequest) -> ProvisionResult:
        """What it answers; nothing is made by that. Raises ProvisionFailed."""
        warnings: list[str] = []

        def warn(message: object) -> str:
            warnings.append(str(message))
            return ""

        run = Rendering.of(self.entry, request, self.surroundings(), warn=warn)
        init = run.section("init", Init={}, State=request.state, Shared=request.shared)
        values: dict[str, Any] = {"Init": init or {}}
        state = run.section("state", **values, State=request.state, Shared=request.shared)
        values["State"] = request.state if state is None else state
        shared = run.section("shared", **values, Shared=request.shared)
        values["Shared"] = merge_patch(request.shared, shared or {})
        outputs = run.section("outputs", **values) or {}
        secrets = run.section("secrets", **values)
        run.expect_outputs({**outputs, **(secrets or {})})
        return ProvisionResult(
            state=state,
            values=outputs,
            secrets=secrets,
            shared=shared,
            warnings=tuple(dict.fromkeys(warnings)),
        )

    async def deprovision(self, request: ProvisionRequest) -> ProvisionResult:  # noqa: ARG002 - a template makes nothing
        return ProvisionResult()


@frozen
class Rendering:
    """The templates of an entry, rendered for one request."""

    entry: Entry
    request: ProvisionRequest
    renderer: Renderer

    @classmethod
    def of(
        cls,
        entry: Entry,
        request: ProvisionRequest,
        surroundings: Surroundings,
        **functions: Callable[..., Any],
    ) -> Rendering:
        """With what a request says, the project around it, and further functions."""
        values = {
            "Uid": str(request.uid),
            "Type": request.uid.type,
            "Class": request.uid.class_,
            "Id": request.uid.id,
            "Guid": request.guid,
            "Params": request.params or {},
            "Metadata": request.metadata or {},
            "Target": request.target,
            **surroundings.values(request.uid),
        }
        more = {"env": surroundings.environment_variable, **functions}
        return cls(entry, request, Renderer(values, more))

    def section(self, name: str, **values: Any) -> JsonObject | None:
        """The map that a section gives; None where there is none. Raises ProvisionFailed."""
        text = self.entry.sections.get(name)
        if text is None:
            return None
        with self._told(name):
            return self.renderer.map(text, **values)

    def text(self, place: str, template: str, **values: Any) -> str:
        """What another template of the entry gives. Raises ProvisionFailed."""
        with self._told(place):
            return self.renderer.text(template, **values)

    @contextmanager
    def _told(self, place: str) -> Iterator[None]:
        try:
            yield
        except RenderError as error:
            cause = error.__cause__
            if isinstance(cause, VariableError):
                raise self._failed(place, str(cause), cause.hint) from error
            raise self._failed(place, str(error), error.hint) from error

    def expect_outputs(self, found: JsonObject) -> None:
        """Raises ProvisionFailed when an output that the entry promises is not there."""
        missing = [name for name in self.entry.expected_outputs if name not in found]
        if missing:
            raise self._failed("expected_outputs", f"not given: {', '.join(missing)}", None)

    def _failed(self, place: str, message: str, hint: str | None) -> ProvisionFailed:
        entry, uid = self.entry, str(self.request.uid)
        where = entry.file if entry.line is None else f"{entry.file}:{entry.line}"
        return ProvisionFailed(
            f"resource '{uid}': {where}: provisioner '{entry.uri}': {place}: {message}",
            uid=uid,
            hint=hint,
        )
