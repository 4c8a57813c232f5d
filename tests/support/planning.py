"""Random fleets of small images on one distribution, and the same fleets built to a plan."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from memlint.model.digest import DiffID
from memlint.model.image import Image
from memlint.model.layer import LayerIndex
from memlint.model.plan import Plan
from memlint.model.vocabulary import ELF_KINDS
from memlint.planner.draft import Options
from memlint.planner.planning import plan_images
from memlint.sharing.fleet import compare_images
from memlint.sharing.storage import storage_model
from support.elf import library
from support.fleets import loaded
from support.images import Content, Layer, Spec, image

RELEASE = b'ID=debian\nVERSION_ID="12"\n'
Files = dict[str, Content]


class Fleet:
    """Images over a world of packages, of which some come in two versions, and files of no package."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311
        count = self.rng.randint(2, 7)
        self.world = {f"p{number}": self._package(number) for number in range(self.rng.randint(1, 9))}
        self.have = [self._packages() for _ in range(count)]
        self.loose = [self._loose() for _ in range(count)]
        self.mtimes = [self.rng.choice((0, 0, 1)) for _ in range(count)]
        self.specs = [self._spec(number) for number in range(count)]
        self.images, self.indexes = loaded(*self.specs)

    def plan(self, **options: object) -> Plan:
        model = storage_model("overlay2")
        replicas = [1] * len(self.images)
        return plan_images(self.images, replicas, self.indexes, model, ELF_KINDS, Options(**options))  # type: ignore[arg-type]

    def _package(self, number: int) -> tuple[list[str], int, int, int]:
        """What it needs, its pages, its size on disk in kB, and in how many versions it is."""
        needs = [f"p{other}" for other in range(number) if self.rng.random() < 0.3]
        return needs, self.rng.randint(1, 40), self.rng.randint(1, 3000), self.rng.choice((1, 1, 2))

    def _packages(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, (needs, _, _, versions) in self.world.items():
            if self.rng.random() < 0.5 and all(need in found for need in needs):
                found[name] = self.rng.randrange(versions)
        return found

    def _loose(self) -> Files:
        files: Files = {}
        for number in range(3):
            if self.rng.random() < 0.4:
                files[f"opt/app/{number}.so"] = library(f"app{number}", text=str(self.rng.randrange(2)), pages=9)
        return files

    def _spec(self, number: int) -> Spec:
        layers = [Layer({**ground(), **self.database({})}, "ADD rootfs", self.mtimes[number])]
        installed: dict[str, int] = {}
        names = list(self.have[number].items())
        if len(names) > 1 and self.rng.random() < 0.5:
            installed = dict(names[: len(names) // 2])
            layers.append(Layer(self.installed(installed, installed), "RUN one"))
        if names:
            rest = dict(names[len(installed) :])
            layers.append(Layer(self.installed(rest, self.have[number]), "RUN two"))
        if self.loose[number]:
            layers.append(Layer(self.loose[number], "COPY app"))
        return image(f"i{number}", *layers)

    def installed(self, new: Mapping[str, int], everything: Mapping[str, int]) -> Files:
        """What installing packages brings, the database included."""
        files = self.database(everything)
        for name, version in new.items():
            files.update(self.files(name, version))
        return files

    def files(self, name: str, version: int) -> Files:
        pages = self.world[name][1]
        return {f"usr/lib/{name}.so": library(name, text=str(version), pages=pages)}

    def database(self, packages: Mapping[str, int]) -> Files:
        status, files = b"Package: base\nStatus: install ok installed\nVersion: 1\n\n", Files()
        for name, version in packages.items():
            needs, _, size, _ = self.world[name]
            depends = f"Depends: {', '.join(needs)}\n" if needs else ""
            status += f"Package: {name}\nStatus: install ok installed\nVersion: {version}\n".encode()
            status += f"Installed-Size: {size}\n{depends}\n".encode()
            files[f"var/lib/dpkg/info/{name}.list"] = f"/usr/lib/{name}.so\n".encode()
        files["var/lib/dpkg/info/base.list"] = b"/usr/lib/base.so\n"
        return {**files, "var/lib/dpkg/status": status}

    def built(self, plan: Plan) -> list[Spec]:
        """The images on the plan's bases, out of nothing but what the plan says."""
        return [self._built(plan, number) for number in range(len(self.specs))]

    def _built(self, plan: Plan, number: int) -> Spec:
        planned = plan.images[number]
        if planned.base is None:
            return self.specs[number]
        bases = {base.name: base for base in plan.bases}
        chain = [bases[planned.base]]
        while chain[-1].parent is not None:
            chain.append(bases[chain[-1].parent])
        layers = [Layer({**ground(), **self.database({})}, "ADD rootfs", max(self.mtimes, key=self.mtimes.count))]
        below: Files = dict(layers[0].tree)
        installed: dict[str, int] = {}
        for base in reversed(chain):
            new = {package.name: int(package.version) for package in base.packages}
            for name in new:
                # what a base installs finds what it needs in it or below
                assert all(need in {**installed, **new} for need in self.world[name][0])
            installed |= new
            tree = self.installed(new, installed) if new else {}
            for group in base.files:
                source = next(at for at, each in enumerate(plan.images) if each.ref == group.image)
                tree |= {path.lstrip("/"): self.loose[source][path.lstrip("/")] for path in group.paths}
            layers.append(Layer(tree, f"RUN {base.name}"))
            below |= tree
        assert all(self.have[number].get(name, version) == version for name, version in installed.items())
        own = {**installed, **self.have[number]}
        wanted = {**ground(), **self.installed(own, own), **self.loose[number]}
        rest = {path: data for path, data in wanted.items() if below.get(path) != data}
        layers.append(Layer(rest, f"RUN {number}", number + 2))  # never the same layer as another image's
        return image(f"i{number}", *layers)


def ground() -> Files:
    return {"usr/lib/base.so": library("base", pages=5), "etc/os-release": RELEASE}


def page_cache(images: Sequence[Image], indexes: Mapping[DiffID, LayerIndex]) -> int:
    """As a comparison counts it."""
    report = compare_images(images, [1] * len(images), indexes, storage_model("overlay2"), ELF_KINDS)
    return report.totals.mappable.page_cache_bytes
