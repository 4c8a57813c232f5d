"""A whole plan as files: what builds what, on what, and that nothing else is said."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import hcl2
import msgspec
import pytest
import yaml
from support.elf import library
from support.fleets import loaded
from support.images import Layer, image

from memlint.cli.plan_directory import Stays, write_directory
from memlint.dockerfile.parser import parse_dockerfile
from memlint.errors import UsageError
from memlint.layers.attributes import Attributes
from memlint.lint.places import Origin
from memlint.model.image import Image
from memlint.model.plan import SCHEMA, Plan, PlannedBase, PlannedFiles, PlannedImage, PlannedPackage
from memlint.model.report import Totals
from memlint.planner.write import SCRIPT, Written, ordered, write
from memlint.planner.write.rewriting import Rewriting, rewritings_of
from memlint.planner.write.service import Fetched, Service, told_apart

ELF = library("x")
DATABASE = b"Package: x\nStatus: install ok installed\nVersion: 1\n\n"
DEB = {"usr/lib/x.so": ELF, "var/lib/dpkg/status": DATABASE, "var/lib/dpkg/info/x.list": b"/usr/lib/x.so\n"}
INSTALL = "apt-get update && apt-get install -y x"
PATHS = ("opt/a b.so", "opt/v/lib.so")
TOTALS = Totals(20_000_000, 10_000_000, 10_000_000, 0.5)


def base(name: str, parent: str | None, *, files: tuple[PlannedFiles, ...] = ()) -> PlannedBase:
    packages = (PlannedPackage("x", "1:1-2", "deb", True, 1), PlannedPackage("y", "2", "deb", False, 1))
    both = ("docker-daemon:fleet/api:1", "docker-daemon:fleet/web")
    return PlannedBase(name, parent, "debian:12", "linux/amd64", packages, files, both, 4_000_000, {})


class Fleet:
    """Two images of a Dockerfile each, and a plan for them."""

    def __init__(self, tails: tuple[str, str], modes: int = 0o755) -> None:
        self.refs = ("docker-daemon:fleet/api:1", "docker-daemon:fleet/web")
        specs = []
        services = []
        for ref, tail in zip(self.refs, tails, strict=True):
            text = f"FROM debian:12\nRUN {INSTALL}\n{tail}\n"
            layers = [Layer({}, "ADD file:1 in /"), Layer(DEB, f"RUN /bin/sh -c {INSTALL}")]
            if "RUN chmod" in tail:
                before, _, chmod = tail.rpartition("RUN ")
                shell = "/bin/bash -c" if "SHELL" in before else "/bin/sh -c"
                layers.append(Layer({"usr/lib/x.so": ELF}, f"RUN {shell} {chmod}"))
            specs.append(image(ref, *layers, User="app"))
            name = ref.partition(":")[2].partition(":")[0].rpartition("/")[2]
            dockerfile = parse_dockerfile(text, f"{name}/Dockerfile")
            origin = Origin(dockerfile, dockerfile.stages[-1])
            services.append(
                Service(name, ref, f"fleet/{name}", origin, f"../{name}", "../plan/x", compose=(f"the {name}",))
            )
        self.services = services
        self.images, self.indexes = loaded(*specs)
        self.modes = modes

    def rewritings(self) -> list[Rewriting]:
        return [
            each
            for built, service in zip(self.images, self.services, strict=True)
            for each in rewritings_of(built, service.origin, self.indexes, partial(self._read, built))
        ]

    def _read(self, built: Image, layer: object) -> dict[str, Attributes]:
        number = next(number for number, each in enumerate(built.layers) if each is layer)
        return {} if number == 0 else {"usr/lib/x.so": Attributes(0o755 if number == 1 else self.modes, 0, 0)}

    def written(
        self, *bases: PlannedBase, sources: Mapping[str, Fetched] | None = None, left: str | None = None
    ) -> Written:
        plan = Plan(
            schema=SCHEMA,
            basis="mappable",
            storage="overlay2",
            points=(),
            chosen="union",
            reason="it saves most",
            ideal_bytes=1,
            optimum_bytes=None,
            before=TOTALS,
            after=TOTALS,
            bases=bases,
            images=tuple(PlannedImage(ref, ref, bases[0].name, 0, (), rebuilt=ref != left) for ref in self.refs),
            suggestions=(),
            left_out=(),
        )
        called = {ref: ref.partition(":")[2] for ref in self.refs}
        return write(plan, self.images, self.indexes, self.services, self.rewritings(), {**called, **(sources or {})})


def test_bases_are_built_before_what_stands_on_them() -> None:
    upper, lower = base("upper", "lower"), base("lower", None)
    assert ordered([upper, lower]) == [lower, upper]
    files = Fleet(("CMD a", "CMD b")).written(upper, lower).files
    script = files[SCRIPT]
    on_lower, on_upper, *services = re.findall(r"^(?:base|service) (\S+)", script, re.MULTILINE)
    assert services == ['fleet/api:"$TAG"', 'fleet/web:"$TAG"']
    assert re.fullmatch("memlint-plan/lower:[0-9a-f]{12}", on_lower)
    assert f"FROM {on_lower}\n" in files["bases/upper/Dockerfile"]
    assert files["services/api/Dockerfile"] == f"FROM {on_upper}\nRUN {INSTALL}\nCMD a\n"


def test_a_base_says_what_it_is_and_pins_what_it_installs() -> None:
    files = (PlannedFiles("opt", PATHS, "docker-daemon:fleet/api:1", 1, 1),)
    text = Fleet(("CMD a", "CMD b")).written(base("common", None, files=files)).files["bases/common/Dockerfile"]
    parsed = parse_dockerfile(text)
    (run,) = [each for each in parsed.stages[0].instructions if each.keyword == "RUN"]
    assert " x=1:1-2 " in " ".join(run.value.split())
    assert "y=2" not in run.value
    assert "#   y 2." in text or "y 2" in text
    assert "rm -rf /var/lib/apt/lists/*" in run.value
    assert 'COPY --from=fleet/api:1 ["/opt/a b.so", "/opt/"]' in text
    assert "COPY --from=fleet/api:1 /opt/v/lib.so /opt/v/\n" in text
    assert text.splitlines()[2].startswith("# Pin debian:12 by its digest")


@pytest.mark.parametrize(
    ("user", "lines"),
    [("app", ["USER 0", "USER app"]), ("", []), (None, ["USER 0"])],
)
def test_installs_are_run_by_root_and_the_user_of_the_original_base_stays(user: str | None, lines: list[str]) -> None:
    planned = msgspec.structs.replace(base("common", None), user=user)
    text = Fleet(("CMD a", "CMD b")).written(planned).files["bases/common/Dockerfile"]
    assert [line for line in text.splitlines() if line.startswith("USER")] == lines
    assert ("Whom debian:12 runs commands as is not known" in text) == (user is None)


def reference_in(written: Written, name: str = "common") -> str:
    (found,) = [each.reference for each in written.plan.bases if each.name == name]
    assert f"base {found} bases/{name}\n" in written.files[SCRIPT]
    return found


def test_a_tag_stands_for_what_a_base_holds() -> None:
    """Two plans on one host call two bases by one reference only where they are the same."""
    fleet = Fleet(("CMD a", "CMD b"))
    files = PlannedFiles("opt", PATHS, "docker-daemon:fleet/api:1", 1, 1, contents="one")
    planned = base("common", None, files=(files,))
    first = reference_in(fleet.written(planned))
    other_image = msgspec.structs.replace(files, image="docker-daemon:fleet/web")
    same = msgspec.structs.replace(planned, page_cache_saved_bytes=1, files=(other_image,))
    assert reference_in(fleet.written(same)) == first
    for change in (
        {"source": "debian:13"},
        {"source_chain": "sha256:" + "0" * 64},
        {"user": "app"},
        {"packages": planned.packages[:1]},
        {"files": (msgspec.structs.replace(files, contents="other"),)},
        {"commands": ("chmod 700 /x",)},
    ):
        assert reference_in(fleet.written(msgspec.structs.replace(planned, **change))) != first, change
    lower = base("lower", None)
    upper = fleet.written(base("common", "lower"), lower)
    changed = fleet.written(base("common", "lower"), msgspec.structs.replace(lower, user="app"))
    assert reference_in(upper) != reference_in(changed)


def test_the_written_plan_says_what_a_base_is_called_and_how_many_layers_it_adds() -> None:
    chmod = "RUN chmod 700 /usr/lib/x.so"
    files = (PlannedFiles("opt", PATHS, "docker-daemon:fleet/api:1", 1, 1),)
    written = Fleet((chmod, chmod), 0o700).written(base("common", None, files=files))
    (found,) = written.plan.bases
    assert (
        found.layers == len(re.findall("^(?:RUN|COPY) ", written.files["bases/common/Dockerfile"], re.MULTILINE)) == 4
    )
    assert found.commands == ("chmod 700 /usr/lib/x.so",)
    # and what it says of itself is written again as it was
    again = Fleet(("CMD a", "CMD b")).written(found)
    assert again.files["bases/common/Dockerfile"] == written.files["bases/common/Dockerfile"]
    assert again.plan.bases == written.plan.bases


def test_what_is_not_to_be_rebuilt_is_in_no_file_that_builds() -> None:
    written = Fleet(("CMD a", "CMD b")).written(base("common", None), left="docker-daemon:fleet/web")
    assert "services/web/Dockerfile" not in written.files
    for name in (SCRIPT, "docker-bake.hcl", "compose.override.yaml"):
        assert "fleet/api" in written.files[name]
        assert "fleet/web" not in written.files[name]


def test_packages_of_python_are_named_each_by_its_version() -> None:
    """What one needs would come in a newer version, which images then replace by their own."""
    names = (("Jinja2", "3.1.2", False), ("flask", "3.0", True), ("apt-thing", "1", True))
    packages = tuple(
        PlannedPackage(name, version, "deb" if name == "apt-thing" else "pypi", root, 1)
        for name, version, root in names
    )
    planned = msgspec.structs.replace(base("common", None), packages=packages)
    text = Fleet(("CMD a", "CMD b")).written(planned).files["bases/common/Dockerfile"]
    pip = " ".join(text[text.index("RUN PIP_") :].split())
    assert "pip install --no-cache-dir --no-deps \\ Jinja2==3.1.2 \\ flask==3.0" in pip
    assert "bring with them" not in text


def test_a_chmod_that_all_images_do_goes_into_the_base() -> None:
    chmod = "RUN chmod 700 /usr/lib/x.so"
    written = Fleet((chmod, chmod), 0o700).written(base("common", None))
    assert f"\n{chmod}\n" in written.files["bases/common/Dockerfile"]
    assert chmod not in written.files["services/api/Dockerfile"]
    assert [change.kind for change in written.changes["docker-daemon:fleet/web"]] == ["base", "moved"]


@pytest.mark.parametrize(
    "tail",
    [
        "WORKDIR /usr/lib\nRUN chmod 700 x.so",
        "RUN chmod 700 ../usr/lib/x.so",
        "RUN chmod 700 /usr/lib/{x,y}.so",
        'SHELL ["/bin/bash", "-c"]\nRUN chmod 700 /usr/lib/x.so',
        "RUN chmod 700 /usr/lib/x.so || true",
        "RUN chmod 700 /usr/lib/x.so; true",
        "RUN chmod --reference=/etc/passwd /usr/lib/x.so",
        "RUN find . -name x.so -exec chmod 700 {} +",
        "RUN find /usr/lib -newer y.so -exec chmod 700 {} +",
    ],
)
def test_a_chmod_that_is_another_one_elsewhere_stays(tail: str) -> None:
    tail = tail.replace("RUN find", "RUN chmod 700 /usr/lib/x.so && find")
    written = Fleet((tail, tail), 0o700).written(base("common", None))
    assert "chmod" not in written.files["bases/common/Dockerfile"]
    assert tail in written.files["services/api/Dockerfile"]


@pytest.mark.parametrize(
    "chmod",
    [
        "RUN chmod 700 /usr/lib/x.so && chmod -R u+w '/usr/lib/a  b'",
        "RUN chmod 700 /usr/lib/x.so && find /usr/lib -name 'x.*' -exec chmod 700 {} +",
        "RUN chmod 700 /usr/lib/*.so && true",
    ],
)
def test_a_chmod_goes_into_the_base_as_it_was_written(chmod: str) -> None:
    written = Fleet((chmod, chmod), 0o700).written(base("common", None))
    assert f"\n{chmod}\n" in written.files["bases/common/Dockerfile"]


def test_it_goes_into_the_lowest_base_alone() -> None:
    chmod = "RUN chmod 700 /usr/lib/x.so"
    files = Fleet((chmod, chmod), 0o700).written(base("upper", "lower"), base("lower", None)).files
    assert chmod in files["bases/lower/Dockerfile"]
    assert chmod not in files["bases/upper/Dockerfile"]
    assert chmod not in files["services/api/Dockerfile"]


def test_one_that_only_one_does_stays_with_its_price() -> None:
    chmod = "RUN chmod 700 /usr/lib/x.so"
    written = Fleet((chmod, "CMD b"), 0o700).written(base("common", None))
    assert chmod not in written.files["bases/common/Dockerfile"]
    assert chmod in written.files["services/api/Dockerfile"]
    kept = written.changes["docker-daemon:fleet/api:1"][-1]
    assert kept.kind == "kept"
    assert kept.bytes > 0
    assert f"`{chmod}`" in written.files["README.md"]


def test_compose_and_bake_name_what_the_script_builds() -> None:
    written = Fleet(("CMD a", "CMD b")).written(base("common", None))
    files, reference = written.files, reference_in(written)
    override = yaml.safe_load(files["compose.override.yaml"])
    assert override["services"]["the api"]["image"] == "fleet/api:${TAG:-memlint-plan}"
    bake = files["docker-bake.hcl"]
    read = hcl2.loads(bake)
    targets = {name.strip('"'): body for each in read["target"] for name, body in each.items()}
    assert set(targets) == {"base-common", "api", "web"}
    assert targets["api"]["contexts"] == {f'"{reference}"': '"target:base-common"'}
    assert read["group"][0]['"default"']["targets"] == ['"api"', '"web"']
    assert bake.count(f'"{reference}" = "target:base-common"') == 2
    assert f'tags = ["{reference}"]' in bake
    assert 'tags = ["fleet/web:${TAG}"]' in bake


def test_services_of_one_repository_have_tags_of_their_own() -> None:
    fleet = Fleet(("CMD a", "CMD b"))
    services = [msgspec.structs.replace(each, repository='fleet/"app') for each in fleet.services]
    fleet.services = told_apart(services, {each.ref: tag for each, tag in zip(services, ("1.0", "1.1"), strict=True)})
    files = fleet.written(base("common", None)).files
    assert re.findall(r"^service (\S+)", files[SCRIPT], re.MULTILINE) == [
        '\'fleet/"app\':"$TAG"-1.0',
        '\'fleet/"app\':"$TAG"-1.1',
    ]
    assert hcl2.loads(files["docker-bake.hcl"])["target"][1]['"api"']["tags"] == ['"fleet/\\"app:${TAG}-1.0"']
    override = yaml.safe_load(files["compose.override.yaml"])["services"]
    assert override["the web"]["image"] == 'fleet/"app:${TAG:-memlint-plan}-1.1'


def test_tags_that_are_the_same_are_told_apart_by_name() -> None:
    services = Fleet(("CMD a", "CMD b")).services
    assert [each.variant for each in told_apart(services, dict.fromkeys([each.ref for each in services], "1"))] == [
        *("", "")
    ]
    same = [msgspec.structs.replace(each, repository="app") for each in services]
    assert [each.variant for each in told_apart(same, dict.fromkeys([each.ref for each in same], "1"))] == [
        *("-api", "-web")
    ]


def test_what_compose_says_of_a_build_is_passed_on() -> None:
    fleet = Fleet(("CMD a", "CMD b"))
    more = {"lib": "../lib", "tool": "docker-image://tool:1"}
    fleet.services[0] = msgspec.structs.replace(fleet.services[0], contexts=more, platform="linux/arm64")
    written = fleet.written(base("common", None))
    files = written.files
    line = next(line for line in files[SCRIPT].splitlines() if line.startswith("service fleet/api"))
    for option in (
        "--platform=linux/arm64",
        "--build-context=lib=../lib",
        "--build-context=tool=docker-image://tool:1",
    ):
        assert option in line
    api = hcl2.loads(files["docker-bake.hcl"])["target"][1]['"api"']
    assert api["platforms"] == ['"linux/arm64"']
    assert set(api["contexts"]) == {'"lib"', '"tool"', f'"{reference_in(written)}"'}


def test_an_image_of_another_dockerfile_is_left_out() -> None:
    fleet = Fleet(("RUN else", "CMD b"))
    written = fleet.written(base("common", None))
    assert [each.what for each in written.left_out] == ["docker-daemon:fleet/api:1"]
    assert "services/api/Dockerfile" not in written.files
    assert "the history of" in written.files["README.md"]


def test_files_of_an_image_that_no_builder_has_are_left_out() -> None:
    files = (PlannedFiles("opt", PATHS, "oci:x", 1, 1),)
    written = Fleet(("CMD a", "CMD b")).written(base("common", None, files=files))
    assert "COPY" not in written.files["bases/common/Dockerfile"]
    assert [each.what for each in written.left_out] == ["2 files of /opt"]


def test_the_script_runs_what_it_says(tmp_path: Path) -> None:
    """With a docker that only tells how it was called."""
    written = Fleet(("CMD a", "CMD b")).written(base("common", None))
    files, reference = written.files, reference_in(written)
    write_directory(str(tmp_path / "plan"), files, [SCRIPT], force=False)
    fake = tmp_path / "bin/docker"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
    env = {"PATH": f"{fake.parent}:{os.environ['PATH']}", "TAG": "2", "BUILD_ARGS": "--network=host --pull"}
    done = subprocess.run([tmp_path / "plan/build.sh"], env=env, cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        f"build --build-arg SOURCE_DATE_EPOCH=315532800 --network=host --pull --tag {reference} bases/common",
        "build --network=host --pull --tag fleet/api:2 --file services/api/Dockerfile ../api",
        "build --network=host --pull --tag fleet/web:2 --file services/web/Dockerfile ../web",
    ]


# The directory


def test_a_directory_with_something_in_it_is_not_touched_without_force(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        write_directory(str(tmp_path), {"build.sh": "x"}, [], force=False)
    assert os.listdir(tmp_path) == ["mine"]
    write_directory(str(tmp_path), {"build.sh": "x", "a/b": "y"}, ["build.sh"], force=True)
    assert sorted(os.listdir(tmp_path)) == ["a", "build.sh", "mine", "written.json"]
    assert os.access(tmp_path / "build.sh", os.X_OK)


def test_force_puts_aside_what_memlint_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "same").write_text("x")
    stays = write_directory(str(tmp_path), {"README.md": "1", "same": "x", "a/b": "1"}, [], force=True)
    assert stays.aside == (("README.md", "README.md.orig"),)
    (tmp_path / "a/b").write_text("edited")
    stays = write_directory(str(tmp_path), {"README.md": "2", "a/b": "2"}, [], force=True)
    assert (stays.aside, stays.changed) == ((("a/b", "a/b.orig"),), ())
    assert (tmp_path / "a/b.orig").read_text() == "edited"
    (tmp_path / "README.md").write_text("mine, too")
    stays = write_directory(str(tmp_path), {"README.md": "3", "a/b": "3"}, [], force=True)
    assert stays.aside == (("README.md", "README.md.orig.2"),)
    assert [(tmp_path / name).read_text() for name in ("README.md", "README.md.orig", "README.md.orig.2")] == [
        *("3", "mine", "mine, too")
    ]


def test_nothing_is_written_through_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "sub").mkdir(parents=True)
    (outside / "file").write_text("mine")
    plan = tmp_path / "plan"
    plan.mkdir()
    (plan / "build.sh").symlink_to(outside / "file")
    write_directory(str(plan), {"build.sh": "x"}, [], force=True)
    assert (outside / "file").read_text() == "mine"
    (plan / "bases").symlink_to(outside / "sub")
    with pytest.raises(UsageError, match="no directory of its own"):
        write_directory(str(plan), {"bases/Dockerfile": "x"}, [], force=True)
    assert os.listdir(outside / "sub") == []


def test_a_plan_over_another_leaves_what_memlint_did_not_write(tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    write_directory(str(plan), {"build.sh": "1", "bases/a/Dockerfile": "a", "bases/b/Dockerfile": "b"}, [], force=False)
    (plan / "bases/b/Dockerfile").write_text("mine now")
    (plan / "notes").write_text("mine")
    stays = write_directory(str(plan), {"build.sh": "2", "bases/c/Dockerfile": "c"}, [], force=True)
    assert stays == Stays(("bases/b/Dockerfile",))
    found = {str(path.relative_to(plan)): path.read_text() for path in plan.rglob("*") if path.is_file()}
    assert found.pop("written.json").count("Dockerfile") == 1
    assert found == {"build.sh": "2", "bases/b/Dockerfile": "mine now", "bases/c/Dockerfile": "c", "notes": "mine"}
    assert write_directory(str(plan), {"build.sh": "3"}, [], force=True) == Stays()
    assert not (plan / "bases/c").exists()


def test_a_manifest_that_lies_removes_nothing_outside(tmp_path: Path) -> None:
    plan, outside = tmp_path / "plan", tmp_path / "outside"
    plan.mkdir()
    outside.mkdir()
    (outside / "file").write_text("x")
    (plan / "link").symlink_to(outside)
    digest = hashlib.sha256(b"x").hexdigest()
    paths = ("../outside/file", str(outside / "file"), "link/file", "link", "", "bases//x")
    (plan / "written.json").write_text(json.dumps(dict.fromkeys(paths, digest)))
    write_directory(str(plan), {"build.sh": "x"}, [], force=True)
    assert (outside / "file").read_text() == "x"
    assert (plan / "link").is_symlink()
    for text in ("[]", "{", '{"a": 1}'):
        (plan / "written.json").write_text(text)
        assert write_directory(str(plan), {"build.sh": "x"}, [], force=True) == Stays()


@pytest.mark.parametrize("hostile", ["${a}", "%{b}", 'q"uote', "back\\slash", "new\nline", "$${c}", "ü"])
def test_bake_files_are_read_back_as_they_were_meant(hostile: str) -> None:
    """Whatever names and arguments hold, a reader of HCL finds one target with these words."""
    fleet = Fleet(("CMD a", "CMD b"))
    fleet.services[0] = msgspec.structs.replace(
        fleet.services[0], build_args={"X": hostile}, context=f"../{hostile}", target=hostile
    )
    text = fleet.written(base("common", None)).files["docker-bake.hcl"]
    targets = {name.strip('"'): body for each in hcl2.loads(text)["target"] for name, body in each.items()}
    escaped = hostile.replace("${", "$${").replace("%{", "%%{")
    assert json.loads(targets["api"]["args"]["X" if "X" in targets["api"]["args"] else '"X"']) == escaped
    assert json.loads(targets["api"]["context"]) == f"../{escaped}"
    assert json.loads(targets["api"]["target"]) == escaped


def test_the_script_loads_archives_that_bases_take_files_of(tmp_path: Path) -> None:
    """With a docker and a skopeo that only tell how they were called; without skopeo it says what is missing."""
    ref = "docker-daemon:fleet/api:1"
    files = (PlannedFiles("opt", PATHS, ref, 1, 1),)
    source = Fetched("memlint-plan/image-api:latest", "oci:../lay out:api:1", "linux/arm/v7")
    written = Fleet(("CMD a", "CMD b")).written(base("common", None, files=files), sources={ref: source}).files
    assert "COPY --from=memlint-plan/image-api:latest /opt/v/lib.so /opt/v/\n" in written["bases/common/Dockerfile"]
    assert "# It needs oci:../lay out:api:1 as memlint-plan/image-api:latest" in written["docker-bake.hcl"]
    write_directory(str(tmp_path / "plan"), written, [SCRIPT], force=False)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname", "mktemp", "rm"):
        (tools / name).symlink_to(str(shutil.which(name)))
    for name in ("docker", "skopeo"):
        (tools / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
        (tools / name).chmod(0o755)
    env = {"PATH": str(tools), "TMPDIR": str(tmp_path)}
    done = subprocess.run([tmp_path / "plan/build.sh"], env=env, cwd="/", capture_output=True, text=True, check=True)
    copied, loaded_, built, *_ = done.stdout.splitlines()
    assert copied.startswith("skopeo copy --quiet --override-os linux --override-arch arm oci:../lay out:api:1 docker-")
    assert copied.endswith("/image:memlint-plan/image-api:latest")
    assert loaded_.startswith("docker load --quiet --input ")
    assert built.startswith("docker build ")
    (tools / "skopeo").unlink()
    done = subprocess.run([tmp_path / "plan/build.sh"], env=env, capture_output=True, text=True)
    assert done.returncode == 2
    assert "install skopeo" in done.stderr
