"""The image that a Dockerfile builds, from its base up: its steps, and what each of them brings."""

from __future__ import annotations

from posixpath import basename, dirname

import msgspec

from memlint import TYPE_CHECKING
from memlint.dockerfile.reference import unmirrored
from memlint.lint.paths import is_below, is_data, is_library, join, looks_binary
from memlint.lint.targets import targets_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from memlint.lint.facts import Facts, StageFacts, Step
    from memlint.lint.repository import Repository
    from memlint.model.dockerfile import Dockerfile, Instruction
    from memlint.model.finding import Hit, Location

_BUILDERS = frozenset(
    (
        *(
            "bazel",
            "bundle",
            "c++",
            "cabal",
            "cargo",
            "cc",
            "clang",
            "cmake",
            "conda",
            "crystal",
            "dotnet",
            "g++",
            "gcc",
        ),
        *(
            "gem",
            "ghc",
            "go",
            "make",
            "mamba",
            "meson",
            "mix",
            "nim",
            "ninja",
            "pip",
            "pip3",
            "poetry",
            "rustc",
            "stack",
        ),
        *("swift", "uv", "xx-cargo", "xx-go", "zig"),
    )
)
"""Programs whose results are programs or libraries."""


class Copy(msgspec.Struct, frozen=True):
    """A COPY or ADD of the image: `target` is absolute, None when unknown; unknown sources are left out.

    - `into`: the target is a directory for certain.
    - `stage`: what `--from` names; `built` whether that stage builds or installs native code.
    """

    instruction: Instruction
    sources: tuple[str, ...]
    target: str | None
    into: bool
    stage: str | None
    built: bool

    @property
    def broad(self) -> bool:
        """It copies the whole build context."""
        return self.stage is None and any(source.strip("./") in ("", "*") for source in self.sources)

    @property
    def paths(self) -> tuple[str, ...]:
        """Where the files that it names come to lie: at the target, or in it, should it be a directory."""
        if self.target is None:
            return ()
        names = [basename(source.rstrip("/")) for source in self.sources if source.strip("./")]
        below = (path for name in names if (path := join(self.target, name)))
        return (*(() if self.into else (self.target,)), *below)

    @property
    def holds_unnamed(self) -> bool:
        """Whether it may bring files that it does not name: those of a directory, or those that a pattern finds."""
        return any("." not in basename(source.rstrip("/")).strip(".") or "*" in source for source in self.sources)

    def source_of(self, path: str) -> str | None:
        """Which file of the build context lies at a path of the image."""
        if self.stage is not None or self.target is None:
            return None
        for source in self.sources:
            if not self.into and path == self.target and source.strip("./"):
                return source
            if source.strip("./") and path == join(self.target, basename(source.rstrip("/"))):
                return source
            if is_below(path, self.target) and path != self.target and (not source.strip("./") or source.endswith("/")):
                return f"{source.rstrip('/')}/{path.removeprefix(self.target).lstrip('/')}"
        return None

    @property
    def programs(self) -> bool:
        """Whether it brings programs or libraries, as names tell: results of a build, or files named like them."""
        if any(source.startswith(("http://", "https://")) for source in self.sources):
            return all(looks_binary(source) for source in self.sources)
        if self.stage is None:
            return any(is_library(source) for source in self.sources)
        return any(_is_binary(source, self.built) for source in self.sources)


def images_of(dockerfile: Dockerfile, repository: Repository) -> tuple[tuple[StageFacts, ...], ...]:
    """The images that are built of a Dockerfile, that of its last stage first: of each the stages whose layers it has.

    The lowest stage comes first. None for an image of Windows, which has no overlayfs.
    """
    found = (stage.lineage for stage in targets_of(repository.facts(dockerfile), repository))
    return tuple(stages for stages in found if not is_windows(stages[0]))


def final_stages(dockerfile: Dockerfile, repository: Repository) -> tuple[StageFacts, ...]:
    """The stages whose layers are in an image that is built of the Dockerfile, in their order."""
    stages = {stage.stage.index: stage for image in images_of(dockerfile, repository) for stage in image}
    return tuple(stages[index] for index in sorted(stages))


def told_once(images: Iterable[Iterable[Hit]]) -> Iterator[Hit]:
    """What was found in each of several images: what is in the stages of two of them is told once."""
    seen: set[Location] = set()
    for found in images:
        new = [hit for hit in found if hit.location not in seen]
        yield from new
        seen.update(hit.location for hit in new)


def is_windows(stage: StageFacts) -> bool:
    """Whether its base is an image of Windows."""
    if stage.base is not None and stage.base.family == "windows":
        return True
    return any(word in stage.stage.source.value.lower() for word in ("windows", "nanoserver", "servercore"))


def steps_of(stages: Sequence[StageFacts]) -> list[Step]:
    """The steps of an image of these stages, from the base up: what ONBUILD holds runs in the stage above."""
    steps: list[Step] = []
    for stage in stages:
        steps += stage.parent.triggered if stage.parent else ()
        steps += stage.steps
    return steps


def steps_with_triggers(stages: Iterable[StageFacts]) -> list[Step]:
    """The same, and what the ONBUILDs of the last one let run in images that are built on it."""
    return [step for stage in stages for steps in (stage.steps, stage.triggered) for step in steps]


def copy_of(step: Step, facts: Facts) -> Copy | None:
    """What a COPY or ADD says; None for other instructions."""
    instruction = step.instruction
    if instruction.keyword not in ("COPY", "ADD"):
        return None
    words = [step.expanded(word.text) for word in instruction.words]
    if len(words) < 2:
        return None
    known = [expanded or _with_known_end(word.text) for expanded, word in zip(words, instruction.words, strict=True)]
    last = words[-1]
    target = None if last is None else join(step.directory, last)
    origin = instruction.flag("from")
    stage = None if origin is None else step.expanded(origin.value) or origin.value
    into = len(words) > 2 or (last or "").endswith(("/", "/.")) or last in (".", "./")
    sources = tuple(word for word in known[:-1] if word and not word.startswith("<<"))
    return Copy(instruction, sources, target, into, stage, stage is not None and _builds(stage, facts))


def named_stage(name: str, facts: Facts) -> StageFacts | None:
    """The stage that `--from=NAME` means."""
    return facts.named.get(name.lower()) if name else None


def reaching(dockerfile: Dockerfile, repository: Repository) -> tuple[StageFacts, ...]:
    """The stages from which anything comes into an image: by FROM, or by `COPY --from`."""
    return reaching_into(final_stages(dockerfile, repository), repository.facts(dockerfile))


def reaching_into(stages: Iterable[StageFacts], facts: Facts) -> tuple[StageFacts, ...]:
    """These stages, and all from which anything comes into them."""
    open_stages = list(stages)
    seen: dict[int, StageFacts] = {}
    while open_stages:
        stage = open_stages.pop()
        for each in stage.above(lambda found: found.stage.index in seen):
            seen[each.stage.index] = each
            open_stages += _copied_from(each, facts)
    return tuple(seen[index] for index in sorted(seen))


def is_shared_base(dockerfile: Dockerfile, repository: Repository) -> bool:
    """Whether another Dockerfile of the repository stands on an image that is called like this one's directory.

    An official image is built by its makers, whatever directories are called, and so is one that this one stands on.
    """
    name = basename(dirname(dockerfile.path))
    called: dict[str, set[str]] = repository.once("bases by name", lambda: _by_name(repository))
    own = repository.outline(dockerfile.path).base
    return bool(called.get(name, set()) - {own.repository if own else ""})


def _by_name(repository: Repository) -> dict[str, set[str]]:
    """The bases of all Dockerfiles, official ones left out, by their names without registry and namespace."""
    called: dict[str, set[str]] = {}
    for path in repository.paths:
        base = repository.outline(path).base
        if base is not None and "/" in unmirrored(base.repository):
            called.setdefault(basename(base.repository), set()).add(base.repository)
    return called


def base_name(stages: tuple[StageFacts, ...]) -> str:
    """The base of the image as it was written."""
    return stages[0].stage.base or stages[0].stage.source.words[0].text


def _copied_from(stage: StageFacts, facts: Facts) -> Iterator[StageFacts]:
    for step in stage.steps:
        flag = step.instruction.flag("from") if step.instruction.keyword == "COPY" else None
        name = step.expanded(flag.value) if flag else None
        found = named_stage(name, facts) if name else None
        if found:
            yield found


def _builds(name: str, facts: Facts) -> bool:
    stage = named_stage(name, facts)
    programs = None if stage is None else stage.programs
    return programs is None or not _BUILDERS.isdisjoint(programs)  # None is an image as it is


def _is_binary(source: str, built: bool) -> bool:
    if is_library(source):
        return True
    name = basename(source.rstrip("/"))
    return built and name != "src" and looks_binary(name or "root") and not is_data(source)


def _with_known_end(text: str) -> str | None:
    """A source that holds an unknown variable, where at least its last part is known."""
    return None if "$" in basename(text) else text
