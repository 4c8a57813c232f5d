"""Podman and CRI-O: both keep their containers with containers/storage, and watch each with a conmon."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import msgspec

from memlint.kernel.containers.asking import Left, said_as
from memlint.kernel.containers.cgroups import ID
from memlint.kernel.containers.interface import Around, Found, Named, Naming, Origin, Supervisor, pod_name
from memlint.kernel.host import Host, document, entries
from memlint.kernel.mounts import Mount
from memlint.kernel.overlay_options import overlay_options

_LAYER = re.compile(r"(/.+)/(?:overlay/[^/]+/diff|vfs/dir/[^/]+|btrfs/subvolumes/[^/]+)\Z")
_BUNDLE = re.compile(r"(/.+)/[a-z0-9]+-containers/[^/]+/userdata/?\Z")
_LISTS = ("containers.json", "volatile-containers.json")


class _Listed(msgspec.Struct):
    """A container in `containers.json`; `image` is the ID of its image, `metadata` is JSON of the engine's own."""

    id: str
    names: list[str] | None = None
    image: str = ""
    metadata: str = ""


class _Stored(msgspec.Struct, rename="kebab"):
    """An image in `images.json`. Its config is kept under its digest; an image pulled in part has another ID."""

    id: str
    big_data_names: list[str] | None = None


class _Metadata(msgspec.Struct, rename="kebab"):
    image_name: str = ""


class _Bundle(msgspec.Struct):
    annotations: dict[str, str] | None = None


class _Podman(msgspec.Struct, rename="pascal"):
    id: str
    names: list[str] | None = None
    image: str = ""


class _Image(msgspec.Struct):
    image: str = ""


class _Meta(msgspec.Struct):
    name: str = ""


class _Cri(msgspec.Struct):
    id: str
    metadata: _Meta
    image: _Image
    labels: dict[str, str] | None = None


class _CriAnswer(msgspec.Struct):
    containers: list[_Cri]


class Podman:
    """Containers of Podman, of any user."""

    name = "podman"
    pattern = re.compile(f"/libpod-(?:payload-)?{ID}(?:\\.scope)?\\Z")

    def states(self, around: Around) -> Naming:
        return partial(_stated, _Lists(around))

    def asked(self, _around: Around, left: Left) -> Mapping[str, Named]:
        answer = said_as(("podman", "ps", "--no-trunc", "--format", "json"), list[_Podman], left)
        return {each.id: Named(next(iter(each.names or []), ""), each.image) for each in answer or ()}


class CriO:
    """Containers of CRI-O. Its conmons have cgroups of their own, `crio-conmon-…`."""

    name = "cri-o"
    pattern = re.compile(f"/crio-{ID}(?:\\.scope)?\\Z")

    def states(self, around: Around) -> Naming:
        return partial(_stated, _Lists(around))

    def asked(self, _around: Around, left: Left) -> Mapping[str, Named]:
        return cri_answer(left)


def cri_answer(left: Left) -> dict[str, Named]:
    """What `crictl` says; it knows of pods' containers alone."""
    answer = said_as(("crictl", "ps", "-o", "json"), _CriAnswer, left)
    return {each.id: Named(cri_name(each.metadata.name, each.labels or {}), each.image.image) for each in _all(answer)}


def cri_name(name: str, labels: Mapping[str, str]) -> str:
    """NAMESPACE/POD/CONTAINER."""
    pod = (labels.get("io.kubernetes.pod.namespace", ""), labels.get("io.kubernetes.pod.name", ""))
    return "/".join((*filter(None, pod), name))


def _all(answer: _CriAnswer | None) -> list[_Cri]:
    return answer.containers if answer else []


class _Lists:
    """The lists of containers, each read once."""

    def __init__(self, around: Around) -> None:
        self.supervisors = {each.id: each for each in around.supervisors if each.runtime in ("podman", "cri-o")}
        self._usual = (*roots_of(around.supervisors), *_default_roots(around.host))
        self._read: dict[str, dict[str, _Listed]] = {}

    def find(self, found: Found) -> tuple[str, _Listed | None]:
        """The container, and the store that it is in."""
        for root in dict.fromkeys((*roots_at(found.rootfs), *self._usual)):
            if root not in self._read:
                self._read[root] = dict(_listed(root))
            if listed := self._read[root].get(found.identity.id):
                return root, listed
        return "", None


def _stated(lists: _Lists, found: Found) -> Named | None:
    """The list has name and image; conmon was told the name; CRI-O's bundle has the image, too."""
    (_, listed), supervisor = lists.find(found), lists.supervisors.get(found.identity.id)
    annotations = _annotations(supervisor) if supervisor and supervisor.bundle else {}
    if listed is None and supervisor is None:
        return None
    name = next(iter(listed.names or []), "") if listed else ""
    image = annotations.get("io.kubernetes.cri-o.ImageName", "") or (_image(listed) if listed else "")
    return Named(pod_name((supervisor.name if supervisor else "") or name), image)


def _annotations(supervisor: Supervisor) -> dict[str, str]:
    path = f"{supervisor.bundle}/config.json"
    bundle = document(supervisor.root + path, _Bundle) or document(path, _Bundle)
    return (bundle.annotations if bundle else None) or {}


def _image(listed: _Listed) -> str:
    try:
        return msgspec.json.decode(listed.metadata, type=_Metadata).image_name
    except msgspec.MsgspecError:
        return ""


def _listed(root: str) -> Iterator[tuple[str, _Listed]]:
    for directory in entries(root):
        if directory.endswith("-containers"):
            for name in _LISTS:
                for each in document(f"{root}/{directory}/{name}", list[_Listed]) or ():
                    yield each.id, each


def origins(around: Around) -> Callable[[Found], Origin]:
    """What tells the origin of a container."""
    return partial(_origin, _Lists(around))


def _origin(lists: _Lists, found: Found) -> Origin:
    root, listed = lists.find(found)
    if listed is None or not listed.image:
        return Origin()
    places = [*roots_at(found.rootfs), root]  # what runs may be listed apart from the store
    stored = (each for place in places for each in _images(place) if each.id == listed.image)
    names = (name for each in stored for name in each.big_data_names or () if name.startswith("sha256:"))
    return Origin(next(names, f"sha256:{listed.image}"), store=os.path.realpath(places[0]))


def _images(root: str) -> Iterator[_Stored]:
    for directory in entries(root):
        if directory.endswith("-images"):
            yield from document(f"{root}/{directory}/images.json", list[_Stored]) or ()


def roots_at(mount: Mount | None) -> list[str]:
    """The store that a container's own file system lies in."""
    return _roots(_LAYER, (overlay_options(mount.options).upper or "", mount.root)) if mount else []


def roots_of(supervisors: Iterable[Supervisor]) -> list[str]:
    """The stores, and their directories of what runs, that conmons have their bundles in."""
    ours = [each for each in supervisors if each.runtime in ("podman", "cri-o")]
    return [path for each in ours for root in _roots(_BUNDLE, [each.bundle]) for path in (each.root + root, root)]


def _roots(pattern: re.Pattern[str], paths: Iterable[str]) -> list[str]:
    return [match[1] for path in paths if (match := pattern.match(path))]


def _default_roots(host: Host) -> tuple[str, ...]:
    own = os.path.join(host.home, ".local/share/containers/storage")
    return (f"{host.lib}/containers/storage", f"{host.run}/containers/storage", own)
