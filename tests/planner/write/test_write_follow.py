"""Services that stand on other services of the fleet."""

from __future__ import annotations

import re

from support.elf import library
from support.fleets import loaded
from support.images import Layer, Spec, image
from support.stock import NOTHING

from memlint.dockerfile.parser import parse_dockerfile
from memlint.layers.limits import Limits
from memlint.lint.places import Origin
from memlint.model.image import Image
from memlint.model.vocabulary import ELF_KINDS
from memlint.planner.draft import Options
from memlint.planner.planning import plan_images
from memlint.planner.preparing import Prepared, prepare
from memlint.planner.write import SCRIPT, write
from memlint.planner.write.follow import leaders
from memlint.planner.write.service import Service
from memlint.sharing.storage import storage_model

BASE = Layer({"etc/os-release": b"ID=debian\nVERSION_ID=12\n"}, "ADD file:1 in /")
API = Layer({"opt/a.so": library("a", pages=400)}, "COPY a.so /opt/ # buildkit")
WORKER = Layer({"opt/w.so": library("w", pages=3)}, "COPY w.so /opt/ # buildkit")
TEXTS = {"api": "FROM debian:12\nCOPY a.so /opt/\n", "worker": "FROM fleet/api:1 AS x\nCOPY w.so /opt/\n"}


def service(name: str, text: str) -> Service:
    dockerfile = parse_dockerfile(text, f"{name}/Dockerfile")
    return Service(name, ref(name), f"fleet/{name}", Origin(dockerfile, dockerfile.stages[-1]), f"../{name}", "x")


def ref(name: str) -> str:
    return f"docker-daemon:fleet/{name}:1"


def spec(name: str, *layers: Layer) -> Spec:
    return image(ref(name), *layers)


def prepared(*specs: Spec, texts: dict[str, str]) -> tuple[list[Image], list[Service], Prepared]:
    images, indexes = loaded(*specs)
    services = [service(name, text) for name, text in texts.items()]
    return images, services, prepare(images, indexes, services, Limits(), NOTHING)


def test_an_image_follows_the_one_that_its_from_names_if_its_layers_say_so() -> None:
    both = (spec("api", BASE, API), spec("worker", BASE, API, WORKER))
    images, services, found = prepared(*both, texts=TEXTS)
    assert found.follows == {ref("worker"): ref("api")}
    assert found.grounds[ref("worker")] == found.grounds[ref("api")]
    _, _, other = prepared(spec("api", BASE, API), spec("worker", BASE, WORKER), texts=TEXTS)
    assert other.follows == {}
    assert leaders(images, services[1:]) == {}, "the other has no Dockerfile here, so it is not built again"


def test_it_is_built_after_the_other_and_on_it() -> None:
    specs = [spec("worker", BASE, API, WORKER), spec("api", BASE, API), spec("web", BASE, API)]
    texts = {"worker": TEXTS["worker"], "api": TEXTS["api"], "web": TEXTS["api"]}
    images, indexes = loaded(*specs)
    services = [service(name, text) for name, text in texts.items()]
    found = prepare(images, indexes, services, Limits(), NOTHING)
    options = Options(grounds=found.grounds, again=found.again, follows=found.follows)
    plan = plan_images(images, [1] * 3, indexes, storage_model("overlay2"), ELF_KINDS, options, found.images)
    files = write(plan, images, indexes, services, found.rewritings, {}, found.follows).files
    called = files["services/worker/Dockerfile"].split()[1]
    assert re.fullmatch("memlint-plan/service-api:[0-9a-f]{12}", called)
    assert files["services/worker/Dockerfile"] == TEXTS["worker"].replace("fleet/api:1", called)
    script = files[SCRIPT].splitlines()
    at = [next(n for n, line in enumerate(script) if line.startswith(f"service fleet/{name}:")) for name in texts]
    assert at[0] > at[1]
    assert script[at[1]].endswith(f"--tag={called}")
    assert f'"{called}" = "target:api"' in files["docker-bake.hcl"]
    # the same chain before and after, so the same page cache
    assert plan.after.page_cache_bytes == plan.before.page_cache_bytes
