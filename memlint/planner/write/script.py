"""`build.sh`: the bases, then each service on its own context, by docker, podman or buildah."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

from memlint.model.plan import PlannedBase
from memlint.planner.write.service import TAG, Fetched, Service

EPOCH = 315532800
"""1980-01-01: the first day that every archive format knows."""

_HEAD = f"""\
#!/bin/sh
# Builds the shared bases, then the services on them. Written by memlint plan.
#
#   TAG         the services' tag (default: {TAG})
#   BUILDER     docker, podman or buildah (default: the first that is there)
#   BUILD_ARGS  more options for every build, for example "--network=host --build-arg PROXY=…"
#   DOCKER_BUILDKIT=0 builds without BuildKit, where docker still can.
set -eu
cd -- "$(dirname -- "$0")"
TAG=${{TAG:-{TAG}}}
SOURCE_DATE_EPOCH=${{SOURCE_DATE_EPOCH:-{EPOCH}}}
if [ -z "${{BUILDER:-}}" ]; then
  for BUILDER in docker podman buildah; do
    command -v "$BUILDER" >/dev/null && break
  done
fi
command -v "$BUILDER" >/dev/null || {{ echo "build.sh: there is neither docker nor podman nor buildah" >&2; exit 2; }}

# Of a base the times are fixed, where the builder can: built again, it should be the same.
base() {{
  echo "build.sh: base $1" >&2
  case $BUILDER in
    *docker) options= ;;
    *) options="--timestamp $SOURCE_DATE_EPOCH" ;;
  esac
  # shellcheck disable=SC2086  # options are words
  "$BUILDER" build $options --build-arg "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH" ${{BUILD_ARGS:-}} --tag "$1" "$2"
}}

# NAME REFERENCE PLATFORM: an image that the builder does not have yet, of which bases take files
image() {{
  echo "build.sh: $2" >&2
  command -v skopeo >/dev/null || {{
    echo "build.sh: bases take files of $2: install skopeo, which reads it" >&2
    exit 2
  }}
  system=${{3%%/*}} machine=${{3#*/}} archive=$(mktemp -d)
  skopeo copy --quiet --override-os "$system" --override-arch "${{machine%%/*}}" "$2" "docker-archive:$archive/image:$1"
  case $BUILDER in
    *buildah) "$BUILDER" pull --quiet "docker-archive:$archive/image" ;;
    *) "$BUILDER" load --quiet --input "$archive/image" ;;
  esac
  rm -r "$archive"
}}

# NAME DOCKERFILE CONTEXT [OPTION…]
service() {{
  echo "build.sh: $1" >&2
  name=$1 dockerfile=$2 context=$3
  shift 3
  # shellcheck disable=SC2086
  "$BUILDER" build ${{BUILD_ARGS:-}} "$@" --tag "$name" --file "$dockerfile" "$context"
}}

"""


def build_script(
    bases: Sequence[PlannedBase],
    services: Sequence[Service],
    tags: Mapping[str, str] | None = None,
    fetched: Iterable[Fetched] = (),
) -> str:
    """The script; bases and services come in an order in which each follows what it stands on.

    `tags` says of services what others on them call them; `fetched` are images that bases take files of.
    """
    lines = [f"image {each.name} {shlex.quote(each.reference)} {shlex.quote(each.platform)}" for each in fetched]
    lines += [f"base {base.reference} {shlex.quote(f'bases/{base.name}')}" for base in bases]
    lines += [_service(service, (tags or {}).get(service.ref)) for service in services]
    return _HEAD + "\n".join(lines) + "\n"


def _service(service: Service, tag: str | None) -> str:
    name = f'{shlex.quote(service.repository)}:"$TAG"{shlex.quote(service.variant) if service.variant else ""}'
    options = [f"--target={service.target}"] if service.target else []
    options += [f"--platform={service.platform}"] if service.platform else []
    options += [f"--build-arg={name}={value}" for name, value in sorted(service.build_args.items())]
    options += [f"--build-context={name}={place}" for name, place in sorted(service.contexts.items())]
    if tag is not None:
        options.append(f"--tag={tag}")
    words = [shlex.quote(word) for word in (f"services/{service.name}/Dockerfile", service.context, *options)]
    return " ".join(["service", name, *words])
