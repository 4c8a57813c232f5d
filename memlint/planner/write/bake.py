"""`docker-bake.hcl`: the bases as targets, and the services whose FROM means these targets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from memlint.model.plan import PlannedBase
from memlint.planner.write.script import EPOCH
from memlint.planner.write.service import TAG, Fetched, Service


def bake_file(
    bases: Sequence[PlannedBase],
    services: Sequence[Service],
    stands: Mapping[str, str | None],
    leaders: Mapping[str, Service] | None = None,
    tags: Mapping[str, str] | None = None,
    fetched: Sequence[Fetched] = (),
) -> str:
    """The file, to be run where it lies. `stands` says by a service's reference which base it stands on.

    `leaders` says which other service it stands on, if it does, and `tags` what it calls that; `fetched` are images
    that bases take files of.
    """
    by_name = {base.name: base for base in bases}
    default = [_target(service.name) for service in services] or [_base(base.name) for base in bases]
    parts = [
        "# Written by memlint plan. Run it in this directory: docker buildx bake",
        *(_fetched(each) for each in fetched),
        f'variable "TAG" {{\n  default = "{TAG}"\n}}\n',
        f'variable "SOURCE_DATE_EPOCH" {{\n  default = "{EPOCH}"\n}}\n',
        f'group "default" {{\n  targets = {_list(default)}\n}}\n',
    ]
    parts += [_base_target(base, by_name) for base in bases]
    for service in services:
        leader = (leaders or {}).get(service.ref)
        contexts = _contexts(by_name.get(stands.get(service.ref) or ""))
        if leader is not None:
            contexts = {(tags or {})[leader.ref]: f"target:{_target(leader.name)}"}
        parts.append(_service_target(service, contexts))
    return "\n".join(parts)


def _fetched(image: Fetched) -> str:
    """Bake reads no archive itself."""
    reference = "".join(char if char.isprintable() else "?" for char in image.reference)
    return f"# It needs {reference} as {image.name}: build.sh loads it."


def _base_target(base: PlannedBase, bases: Mapping[str, PlannedBase]) -> str:
    fields = {
        "context": _text(f"bases/{base.name}"),
        "tags": _list([base.reference]),
        "args": '{\n    SOURCE_DATE_EPOCH = "${SOURCE_DATE_EPOCH}"\n  }',
    }
    if base.parent:
        fields["contexts"] = _map(_contexts(bases[base.parent]))
    return _block(_base(base.name), fields)


def _service_target(service: Service, contexts: dict[str, str]) -> str:
    fields = {
        "context": _text(service.context),
        "dockerfile": _text(service.dockerfile),
        "tags": f"[{_text(f'{service.repository}:')[:-1]}${{TAG}}{_text(service.variant)[1:]}]",
    }
    if service.target:
        fields["target"] = _text(service.target)
    if service.build_args:
        fields["args"] = _map(service.build_args)
    if service.platform:
        fields["platforms"] = _list([service.platform])
    if service.contexts or contexts:
        fields["contexts"] = _map({**service.contexts, **contexts})
    return _block(_target(service.name), fields)


def _contexts(base: PlannedBase | None) -> dict[str, str]:
    return {base.reference: f"target:{_base(base.name)}"} if base is not None else {}


def _block(name: str, fields: dict[str, str]) -> str:
    return f'target "{name}" {{\n' + "".join(f"  {key} = {value}\n" for key, value in fields.items()) + "}\n"


def _base(name: str) -> str:
    return f"base-{name}"


def _target(name: str) -> str:
    return f"service-{name}" if name.startswith("base-") else name


def _map(values: dict[str, str]) -> str:
    lines = "".join(f"    {_text(key)} = {_text(value)}\n" for key, value in sorted(values.items()))
    return f"{{\n{lines}  }}"


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(_text(value) for value in values)}]"


def _text(value: str) -> str:
    return json.dumps(_escaped(value), ensure_ascii=False)


def _escaped(value: str) -> str:
    """HCL's templates begin with ${ and %{."""
    return value.replace("${", "$${").replace("%{", "%%{")
