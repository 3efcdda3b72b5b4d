"""What is certain to fail, found before anything is made for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from score_flyio.base.place import path_of, quoted
from score_flyio.base.printable import system_reason
from score_flyio.base.record import evolve
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.guest import refuse_impossible
from score_flyio.deploy.metadata import by_group
from score_flyio.deploy.model import DesiredApp, ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.new_machine import options_guest
from score_flyio.deploy.planning.strategies import STRATEGIES
from score_flyio.deploy.planning.strategies.model import waiting_for
from score_flyio.engine.images import Images
from score_flyio.engine.inputs import Input
from score_flyio.engine.output import Output
from score_flyio.engine.pipeline import Preparation
from score_flyio.engine.refusal import unserved
from score_flyio.engine.selection import Refused
from score_flyio.engine.session import Session
from score_flyio.errors import Problem
from score_flyio.errors.inputs import with_problems
from score_flyio.fly.client import FlyClient
from score_flyio.flytoml.groups import default_group, flatten, matches, process_groups
from score_flyio.flytoml.limits import beyond_limits, file_problems
from score_flyio.flytoml.regions import AREAS, REGIONS, nearest
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.model import ProjectState


async def problems_ahead(
    session: Session, desired: DesiredApp, observed: ObservedApp, options: DeployOptions
) -> tuple[Problem, ...]:
    """What makes a deploy of the app impossible, whatever its resources give."""
    place = "--region" if options.region else "primary_region"
    region = desired.spec.primary_region
    if not region and session.default_region:
        place, region = session.default_region_from or "FLY_REGION", session.default_region
    asked = {place: [region], **_regions(options)}
    return (
        *beyond_limits(_known_now(desired.spec, options)),
        *impossible_size(options),
        *await unknown_regions(session.client, asked, observed),
        *_volumes(desired, observed, region=region, place=place),
        *_strategy(desired, observed, options),
        *_unknown_names(desired, observed, options),
        *_missing_files(desired, options),
    )


async def admitted(
    inputs: Sequence[Input],
    state: ProjectState,
    images: Images,
    *,
    output: Output | None = None,
    to_look: bool = False,
) -> Preparation:
    """The inputs of a run that nothing speaks against by now, entered into the state.

    Nothing is entered where it is only looked at. Raises ConfigError where two inputs are one app.
    """
    session = images.session
    ready = Preparation.of(session.project, state, inputs, session.emit, output)
    await images.check(ready)
    for app, item in [*ready.inputs.items()]:
        if error := unserved(item, ready.around):
            ready.refuse(app, error)
    ready.fit(to_look=to_look)
    if not ready.inputs:  # else each app tells what is wrong with the options
        ready.refused = [*await with_options(session.client, images.options, ready.refused)]
    return ready


async def with_options(
    client: FlyClient, options: DeployOptions, refused: Sequence[Refused]
) -> tuple[Refused, ...]:
    """What is refused, where no app is left that would tell what is wrong with the options."""
    unknown = await unknown_regions(client, _regions(options), ObservedApp(name=""))
    problems = (*impossible_size(options), *unknown)
    if not problems:
        return tuple(refused)
    return tuple(evolve(each, error=with_problems(each.error, problems)) for each in refused)


def are_doubtful(options: DeployOptions) -> bool:
    """Whether `with_options` may find something, as far as can be told without the platform."""
    return bool(impossible_size(options) or _not_listed(_regions(options)))


def impossible_size(options: DeployOptions) -> tuple[Problem, ...]:
    """What is wrong with the size that options ask for."""
    try:
        if (guest := options_guest(options)) is not None:
            refuse_impossible(guest, place="--vm")
    except ConversionError as error:
        return error.problems
    return ()


def _regions(options: DeployOptions) -> dict[str, Sequence[str]]:
    return {
        "--region": [options.region] if options.region else [],
        "--only-regions": options.only_regions,
        "--exclude-regions": options.exclude_regions,
        "--fallback-regions": options.fallback_regions,
    }


def _known_now(spec: AppSpec, options: DeployOptions) -> AppSpec:
    """The app without volumes whose names its resources will give, and files of options."""
    from score_flyio.score.placeholders import PENDING

    return evolve(
        spec,
        mounts=tuple(each for each in spec.mounts if PENDING not in each.source),
        files=tuple(each for each in spec.files if each not in options.files),
    )


async def unknown_regions(
    client: FlyClient, asked: Mapping[str, Sequence[str]], observed: ObservedApp
) -> tuple[Problem, ...]:
    """The regions that there are not.

    The platform is asked only about those that neither the documentation lists nor the app is in;
    `asked` has what is asked for by its place.
    """
    here = {machine.region for machine in observed.machines}
    here |= {volume.region for volume in observed.volumes}
    odd = [(place, word) for place, word in _not_listed(asked) if word not in here]
    if not odd:
        return ()
    answer = await client.api.platform_regions_get()
    listed = (answer.Regions or answer.regions) or []
    known = REGIONS | {region.code for region in listed if region.code}
    return tuple(
        Problem(
            message=f"Fly has no region {word!r}",
            path=path_of(place),
            hint=f"use {' or '.join(found) if len(found) < 4 else 'one of ' + ', '.join(found)}",
            code="unknown_region",
        )
        for place, word in odd
        if word not in known and (found := nearest(word, known))
    )


def _not_listed(asked: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """The regions that the documentation does not list, each behind its place."""
    return [
        (place, word)
        for place, texts in asked.items()
        for text in texts
        for word in text.split(",")
        if word and word not in REGIONS | AREAS
    ]


def _unknown_names(
    desired: DesiredApp, observed: ObservedApp, options: DeployOptions
) -> Iterator[Problem]:
    """Groups and machines that an option names and that there are not."""
    groups = {*process_groups(desired.spec), *by_group(observed.machines)}
    machines = {machine.id or "" for machine in observed.machines}
    asked = {
        "--process-groups": ("process group", options.process_groups, groups),
        "--only-machines": ("machine", options.only_machines, machines),
        "--exclude-machines": ("machine", options.exclude_machines, machines),
    }
    for place, (kind, names, there) in asked.items():
        for name in names:
            if name not in there:
                known = ", ".join(sorted(there))
                yield Problem(
                    message=f"app {desired.name} has no {kind} {name!r}",
                    path=path_of(place),
                    hint=f"use one of {known}" if known else "deploy it first",
                    code="unknown_name",
                )


def _missing_files(desired: DesiredApp, options: DeployOptions) -> Iterator[Problem]:
    for file in options.files:
        try:
            if file.local_path:
                desired.files.read(file.local_path)
        except OSError as error:
            yield Problem(
                message=f"{file.local_path!r} cannot be read: {system_reason(error)}",
                path=path_of("--file-local"),
                hint="paths are relative to the working directory",
                code="file_unreadable",
            )
        kind = "local" if file.local_path else "secret" if file.secret_name else "literal"
        place = f"--file-{kind}"
        yield from file_problems(file, path_place=place, secret_place=place)


def _volumes(
    desired: DesiredApp, observed: ObservedApp, *, region: str, place: str
) -> Iterator[Problem]:
    spec, default = desired.spec, default_group(desired.spec)
    groups = process_groups(spec)
    used = [any(matches(m.processes, group, default) for group in groups) for m in spec.mounts]
    if not any(used):
        return
    first = used.index(True)
    if "," in region or region in AREAS:
        yield Problem(
            message=f"{region!r} is not a single region, and a volume needs one",
            path=path_of(place),
            hint="name one, such as iad",
            code="volume_without_region",
        )
    elif not region and not observed.machines:
        message = "there is no primary_region, and a volume needs one"
        hint = 'add primary_region = "iad" or another one, give --region, or set FLY_REGION'
        if desired.workload:
            destination = quoted(spec.mounts[first].destination)
            message = f"the volume at {destination} needs a region, and none is given"
            hint = "give --region iad, or another one, or set FLY_REGION"
        yield Problem(
            message=message,
            path=path_of(f"mounts[{first}]"),
            hint=hint,
            code="volume_without_region",
        )


def _strategy(
    desired: DesiredApp, observed: ObservedApp, options: DeployOptions
) -> Iterator[Problem]:
    """A strategy that the next deploy would refuse is refused by the first, too."""
    spec, groups = desired.spec, process_groups(desired.spec)
    name = options.strategy or (spec.deploy.strategy if spec.deploy else "")
    strategy = next((s for other, s in STRATEGIES.items() if other == name), None)
    if strategy is None or observed.machines:
        return
    found: list[Problem] = []
    if strategy.no_checks and not any(waiting_for(spec, g, options).checks for g in groups):
        found.append(strategy.no_checks(groups[0]))
    if no_volumes := strategy.no_volumes:
        found += [no_volumes(group) for group in groups if flatten(spec, group).mounts]
    path = path_of("--strategy" if options.strategy else "deploy.strategy")
    for problem in found:
        yield evolve(problem, message=f"strategy {name} {problem.message}", path=path)
