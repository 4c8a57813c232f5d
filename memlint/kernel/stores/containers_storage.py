"""Stores of containers/storage, which Podman, Buildah and CRI-O use, and the settings in storage.conf."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import msgspec

from memlint.kernel.containers.containers_storage import roots_at, roots_of
from memlint.kernel.host import Host, document, entries, text_or_none
from memlint.kernel.stores.interface import UNREADABLE, Asked, Place
from memlint.kernel.stores.reaching import distinct, readable
from memlint.model.vocabulary import STORAGE

_ENGINE = "containers-storage"
_LAYERS = "-layers"
_EMPTY = 4
"""Bytes of an empty list in JSON."""
_CLONED = (
    "images have copies for mappings of user IDs (--userns=auto, or --uidmap): a copy shares no page with the image "
    "itself, nor with that of another mapping"
)
_PARTLY = "sharing by content holds for layers that were pulled as zstd:chunked or converted; others share by chain"


class _Image(msgspec.Struct, rename="kebab"):
    mapped_layers: list[str] | None = None


def places(asked: Asked) -> Iterator[Place]:
    """One for each driver that has layers."""
    around = asked.around
    settings = list(_settings(around.host))
    given = [str(each.get("graphroot") or default) for each, default in settings]
    own = [root for mount in asked.mounts("podman", "cri-o") for root in roots_at(mount)]
    for root, reached in distinct((*given, *own, *roots_of(around.supervisors)), around.host):
        known = next((each for each, default in settings if (each.get("graphroot") or default) == root), {})
        if not readable(reached):
            yield Place(_ENGINE, UNREADABLE, root, reached, None)
            continue
        for name in entries(reached):
            if name.endswith(_LAYERS) and _has_layers(f"{reached}/{name}/layers.json"):
                yield _place(name.removesuffix(_LAYERS), root, reached, known)


def _place(driver: str, root: str, reached: str, settings: dict[str, Any]) -> Place:
    options = {key: value for key, value in _options(driver, settings).items() if value}
    if driver == "overlay" and "mount_program" not in options and _has_mount_program(reached):
        options["mount_program"] = "fuse-overlayfs"
    images = document(f"{reached}/{driver}-images/images.json", list[_Image]) or []
    model = _model(driver, options)
    warnings = [_CLONED] if any(image.mapped_layers for image in images) else []
    warnings += [_PARTLY] if model in ("hardlinked", "composefs") else []
    return Place(_ENGINE, driver, root, reached, model, options, tuple(warnings))


def _model(driver: str, options: dict[str, str]) -> str | None:
    if driver != "overlay":
        return driver if driver in STORAGE else None
    if "mount_program" in options:
        return "fuse-overlayfs" if "fuse-overlayfs" in options["mount_program"] else None
    if options.get("use_composefs") == "true":
        return "composefs"
    linked = options.get("enable_partial_images") == "true" and options.get("use_hard_links") == "true"
    return "hardlinked" if linked else "containers-storage-overlay"


def _options(driver: str, settings: dict[str, Any]) -> dict[str, str]:
    """What bears on sharing, as text: TOML has some of it as strings, some as booleans."""
    general = _table(settings, "options")
    pull, own = _table(general, "pull_options"), _table(general, driver)
    pulled = {key: pull.get(key) for key in ("enable_partial_images", "use_hard_links", "convert_images")}
    mounted = {key: own.get(key, general.get(key)) for key in ("mount_program", "mountopt", "use_composefs")}
    both = {**pulled, **(mounted if driver == "overlay" else {})}
    return {key: str(value).lower() if isinstance(value, bool) else str(value or "") for key, value in both.items()}


def _table(settings: dict[str, Any], name: str) -> dict[str, Any]:
    table = settings.get(name)
    return table if isinstance(table, dict) else {}


def _settings(host: Host) -> Iterator[tuple[dict[str, Any], str]]:
    """`[storage]` of the system and of the user, each with the root that holds where none is set."""
    system = _joined(f"{host.share}/containers/storage.conf", f"{host.etc}/containers/storage.conf")
    yield system, f"{host.lib}/containers/storage"
    own = _joined(os.path.join(host.home, ".config/containers/storage.conf"))
    yield own, os.path.join(host.home, ".local/share/containers/storage")


def _joined(*files: str) -> dict[str, Any]:
    """The last file that is there, under its drop-ins in the order of their names."""
    present = [file for file in files if os.path.exists(file)][-1:]
    dropped = [f"{file}.d/{name}" for file in files for name in entries(f"{file}.d") if name.endswith(".conf")]
    joined: dict[str, Any] = {}
    for file in (*present, *dropped):
        joined = _over(joined, _table(_toml(file), "storage"))
    return joined


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        before = merged.get(key)
        merged[key] = _over(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


def _toml(path: str) -> dict[str, Any]:
    import tomli  # only where stores are looked for

    try:
        return tomli.loads(text_or_none(path) or "")
    except (tomli.TOMLDecodeError, RecursionError):
        return {}


def _has_layers(path: str) -> bool:
    try:
        return os.path.getsize(path) > _EMPTY
    except OSError:
        return False


def _has_mount_program(root: str) -> bool:
    """The driver keeps in a file whether it mounts by a program."""
    return (text_or_none(f"{root}/overlay/.has-mount-program") or "").strip() == "true"
