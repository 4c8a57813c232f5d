"""Which packages the commands of a RUN install, by manager, and what is left open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlint.dockerfile.installs import Install, installs_of
from memlint.dockerfile.parser import parse_dockerfile

ENVIRONMENT = {"PKGS": "curl git", "V": "1.2.3", "EMPTY": "", "UNKNOWN": None}


def installs(run: str) -> tuple[Install, ...]:
    instruction = parse_dockerfile(f"FROM debian\nRUN {run}\n").stages[0].instructions[0]
    return installs_of(instruction, ENVIRONMENT, "/app")


def shown(install: Install) -> str:
    """`manager name==version name(constraint) <file` and `…` where it is not complete."""
    packages = [
        each.name + (f"=={each.version}" if each.version else "") + (f"({each.constraint})" if each.constraint else "")
        for each in install.packages
    ]
    files = [f"<{file}" for file in install.files]
    return " ".join([install.manager, *packages, *files, *([] if install.complete else ["…"])])


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        # apt
        ("apt-get update && apt-get install -y --no-install-recommends curl git", "apt curl git"),
        ("DEBIAN_FRONTEND=noninteractive apt install -yqq curl", "apt curl"),
        ("apt-get -y -o Dpkg::Options::=--force-confold -qq install curl", "apt curl"),
        ("apt-get install -t bookworm-backports -y curl", "apt curl"),
        ("apt-get install -y curl -oAPT::Install-Suggests=0 --target-release=sid git", "apt curl git"),
        ("sudo -E /usr/bin/apt-get install -y curl", "apt curl"),
        ("aptitude -y install curl", "apt curl"),
        ("install_packages curl git", "apt curl git"),
        (
            "apt-get install curl=7.88.1-10+deb12u5 'git=1:2.*' vim/sid",
            "apt curl==7.88.1-10+deb12u5 git(=1:2.*) vim(/sid)",
        ),
        ("apt-get install g++ libstdc++6 libc6:i386 nano-", "apt g++ libstdc++6 libc6:i386"),
        ("apt-get install ./a.deb /tmp/*.deb curl", "apt curl …"),
        ("apt-get install curl+ -- git", "apt curl git"),
        ("apt-get install 'php*-fpm' curl", "apt curl …"),
        ("apt-get install $PKGS vim", "apt curl git vim"),
        ('PKGS="a b"; apt-get install -y $PKGS', "apt a b"),
        ("apt-get install $EMPTY curl", "apt curl"),
        ("apt-get install $UNKNOWN curl", "apt curl …"),
        ("apt-get install $OPTIONS curl", "apt curl …"),
        ("apt-get install nginx=${UNKNOWN} redis=$V", "apt nginx(=${UNKNOWN}) redis==1.2.3 …"),
        ('apt-get install "nginx=${UNKNOWN}-1"', "apt nginx(=${UNKNOWN}-1) …"),
        ("apt-get install $(cat packages.txt)", "apt …"),
        ("xargs apt-get install -y < packages.txt", "apt …"),
        ("bash -c 'apt-get install -y curl'", "apt curl"),
        ("if x; then apt-get install curl; fi", "apt curl …"),
        ("x || apt-get install curl", "apt curl …"),
        ("<<EOF\nset -e\napt-get update\napt-get install -y \\\n  curl \\\n  git\nEOF", "apt curl git"),
        # apk
        ("apk add a=$UNKNOWN $UNKNOWN a/b", "apk a(=$UNKNOWN) …"),
        (
            "apk add --no-cache curl 'git>2' jq=1.6-r3 vim~9 py3-x~=1.2",
            "apk curl git(>2) jq==1.6-r3 vim(~9) py3-x(~=1.2)",
        ),
        ("apk --no-cache --update add -X https://x/main curl", "apk curl"),
        ("apk add mkcert@testing !busybox so:libz.so.1", "apk mkcert(@testing) so:libz.so.1"),
        ("apk add --virtual .deps gcc musl-dev", "apk gcc musl-dev"),
        ("apk add -t .deps gcc", "apk gcc"),
        # rpm
        ("zypper in a=$UNKNOWN && dnf install a-$UNKNOWN", "zypper a(=$UNKNOWN) …|dnf …"),
        ("dnf -y install --setopt=install_weak_deps=False httpd && dnf clean all", "dnf httpd"),
        ("yum install -y epel-release gcc-c++ java-1.8.0-openjdk", "yum epel-release gcc-c++ java-1.8.0-openjdk"),
        ("yum -y --enablerepo epel install jq-1.6-2.el8.x86_64", "yum jq==1.6-2.el8"),
        ("yum install glibc.i686 gdb.x86_64 bind-32:9.11.4-1.el7", "yum glibc.i686 gdb bind==32:9.11.4-1.el7"),
        ("microdnf install -y --nodocs tar gzip", "microdnf tar gzip"),
        ("microdnf install golang-1.19.10", "microdnf golang-1.19.10"),
        ("tdnf install -y ca-certificates", "dnf ca-certificates"),
        ("dnf install -y https://x/remi-release-8.rpm ./y.rpm gcc", "dnf gcc …"),
        (
            "dnf -y group install 'Development Tools' && dnf module install php:8.1 -y",
            "dnf @Development Tools|dnf @php:8.1",
        ),
        ("dnf -y install @core @fonts x", "dnf @core @fonts x"),
        ("yum groupinstall -y 'Development Tools'", "yum @Development Tools"),
        ("dnf install gstreamer1-{libav,plugins-bad}", "dnf …"),
        ("zypper --non-interactive install -y --no-recommends -t pattern curl", "zypper curl"),
        ("zypper -n in curl 'git>=2' nano=1.2-3", "zypper curl git(>=2) nano==1.2-3"),
        # pip and uv
        ("python -I -m pip install a && python3 -m uv pip install b", "pip a|uv b"),
        ("pip install 'a!b' 'a @x' b", "pip b …"),
        ("pip install --no-cache-dir -r requirements.txt", "pip <requirements.txt"),
        ("pip3.11 install -rreq.txt --requirement=other.txt Flask==2.0.1", "pip flask==2.0.1 <req.txt <other.txt"),
        (
            "python3 -m pip install --upgrade pip 'setuptools<70,>=60' Ruamel.Yaml",
            "pip pip setuptools(<70,>=60) ruamel-yaml",
        ),
        ("/venv/bin/pip install 'uvicorn[standard]==0.30' 'x ~= 1.2' y==1.*", "pip uvicorn==0.30 x(~= 1.2) y(==1.*)"),
        ("pip install 'z; python_version < \"3.9\"'", 'pip z(; python_version < "3.9")'),
        ("pip install -i https://x/simple --extra-index-url https://y -c constraints.txt a", "pip a"),
        ("pip install .", "pip …"),
        ("pip install -e . && pip install /wheels/*.whl git+https://x/y 'a @ https://x/a.whl' b", "pip …|pip b …"),
        ("pip install a==$UNKNOWN b==${V}", "pip a(==$UNKNOWN) b==1.2.3 …"),
        ("pip install -r $UNKNOWN", "pip …"),
        ("cat r.txt | pip install -r /dev/stdin", "pip …"),
        ("pip install --target=/x --find-links /wheels a", "pip a"),
        ("conda run -n e pip install a", "pip a"),
        ("uv pip install --system -r requirements.txt a==1.0", "uv a==1.0 <requirements.txt"),
        ("uv sync --frozen --no-dev --extra web", "uv <pyproject.toml <uv.lock"),
        ("uv sync --project /srv/app", "uv </srv/app/pyproject.toml </srv/app/uv.lock"),
        ("uv pip sync requirements.txt", "uv <requirements.txt"),
        ("uv add 'a>=1' && uv tool install ruff==0.5.0", "uv a(>=1)|uv ruff==0.5.0"),
        # node
        ("yarn add ./x && yarn global add", "yarn …"),
        ("npm ci --omit=dev", "npm <package.json <package-lock.json"),
        ("npm install && npm i --production", "npm <package.json|npm <package.json"),
        ("npm --prefix web ci", "npm <web/package.json <web/package-lock.json"),
        ("npm install -g npm@9 @angular/cli@17.0.1 yarn", "npm npm(9) @angular/cli==17.0.1 yarn"),
        ("npm install --global true pnpm@latest", "npm pnpm(latest)"),
        ("npm install ./local.tgz user/repo a", "npm a …"),
        ('npm i -g "x@${UNKNOWN}"', "npm x(@${UNKNOWN}) …"),
        ("yarn --frozen-lockfile --network-timeout 100000", "yarn <package.json <yarn.lock"),
        ("yarn install --cwd web", "yarn <web/package.json <web/yarn.lock"),
        ("yarn global add serve@14.2.0 && yarn add lodash", "yarn serve==14.2.0|yarn lodash"),
        ("pnpm i --frozen-lockfile --prod", "pnpm <package.json <pnpm-lock.yaml"),
        ("pnpm fetch && pnpm add -g turbo", "pnpm <pnpm-lock.yaml|pnpm turbo"),
        # gem and conda
        ("gem install a -v $UNKNOWN b.gem", "gem a …"),
        (
            "conda install a=$UNKNOWN $UNKNOWN /x.conda && conda env update c",
            "conda a(=$UNKNOWN) …|conda <environment.yml …",
        ),
        (
            "gem install bundler -v 2.4.1 --no-document && gem install rake:13.0 rails",
            "gem bundler==2.4.1|gem rake==13.0 rails",
        ),
        ("gem install pg -- --with-pg-config=/x", "gem pg"),
        ("bundle config set without dev && bundle install -j4", "gem <Gemfile <Gemfile.lock"),
        (
            "conda install -y -c conda-forge numpy=1.26 scipy==1.11.1 'pandas>=2' x=1.0=py39_0",
            "conda numpy(=1.26) scipy==1.11.1 pandas(>=2) x==1.0",
        ),
        ("mamba install --yes --file reqs.txt conda-forge::blas", "conda blas <reqs.txt"),
        ("micromamba install -y -n base -f /tmp/env.yaml", "conda </tmp/env.yaml"),
        ("conda env create -f environment.yml", "conda <environment.yml"),
        ("conda create -n x python=3.11", "conda python(=3.11)"),
    ],
)
def test_what_is_installed(run: str, expected: str) -> None:
    assert "|".join(map(shown, installs(run))) == expected


@pytest.mark.parametrize(
    "run",
    [
        "apt-get update",
        "apk add -s curl",
        "dnf group list",
        "npm ci --dry-run",
        "npm i --package-lock-only a",
        "conda install --dry-run a",
        "conda env list",
        "python -m venv x",
        "apt-get upgrade -y",
        "apt-get clean",
        "apt-get -s install curl",
        "apt-get download curl",
        "apk update",
        "apk fetch curl",
        "echo apt-get install curl",
        "pip download a",
        "pip wheel -r requirements.txt",
        "pip install --dry-run a",
        "python setup.py install",
        "npm run install",
        "npm config set registry x",
        "yarn build",
        "yarn --version",
        "yarn run install",
        "gem update",
        "conda update --all",
        "dnf install --downloadonly x",
        "xx-apt-get install curl",
        "$APT install curl",
        "make install",
        "bundle exec rake install",
        "apt-get install curl &&",
    ],
)
def test_what_installs_nothing_for_certain(run: str) -> None:
    assert installs(run) == ()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("apk add --virtual .deps gcc make && make && apk del .deps", ""),
        ("apk add curl && apk add -t .deps gcc && apk del --no-network .deps", "apk curl"),
        ("apk add gcc curl && apk del gcc", "apk curl"),
        ("apk add --virtual .deps gcc && apk del $UNKNOWN", ""),
        ("apk add --virtual .deps gcc && apk del .other", "apk gcc"),
        ("apt-get install -y gcc curl && apt-get purge -y --auto-remove gcc", "apt curl"),
        ("P='gcc make'; apt-get install $P && apt-get remove $P; pip install a", "pip a"),
        ("apt-get install gcc && apt-mark auto '.*' > /dev/null && apt-get purge --auto-remove", ""),
        (
            "apt-get install gcc curl && apt-mark auto gcc && apt-get autoremove -y && apt-get install git",
            "apt curl|apt git",
        ),
        ("apt-get install gcc && if x; then apt-get purge gcc; fi", ""),
        ("apt-get install gcc && apt-get autoremove", "apt gcc"),
        ("dnf install gcc curl && dnf remove -y gcc && dnf autoremove", "dnf curl"),
        ("pip install A_b c && pip uninstall -y a-B", "pip c"),
        ("npm i -g a b && npm uninstall -g a", "npm b"),
        ("gem install a && gem uninstall a", ""),
        ("conda install a b && conda remove b", "conda a"),
        ("apt-get install gcc && apk del gcc", "apt gcc"),
    ],
)
def test_what_the_same_instruction_removes_is_not_installed(run: str, expected: str) -> None:
    assert "|".join(map(shown, installs(run))) == expected


def test_the_rest_of_an_install() -> None:
    (install,) = installs("cd src && pip install -r dev.txt --no-cache-dir a==1")
    assert install.options == ("-r", "dev.txt", "--no-cache-dir")
    assert (install.directory, install.conditional) == ("/app/src", False)
    assert (install.span.line, install.span.column, install.span.end_column) == (2, 15, 57)
    (package,) = install.packages
    assert (package.raw, package.span.column, package.ecosystem) == ("a==1", 53, "pypi")


def test_a_conditional_install_says_so() -> None:
    (install,) = installs("if [ -n $X ]; then apk add curl; fi")
    assert (install.conditional, install.complete) == (True, False)


WORDS = st.lists(
    st.sampled_from(
        [
            *("apt-get", "apk", "pip", "npm", "yum", "gem", "conda", "uv", "yarn", "install", "add", "del", "-y", "-t"),
            *(
                "--virtual",
                ".x",
                "a=1",
                "b==2",
                "@c/d@1",
                "$UNKNOWN",
                "$PKGS",
                "-r",
                "--",
                "-",
                "&&",
                "./x",
                "''",
                "-o",
            ),
            *("sync", "global", "remove", "é", "--file=", "python -m pip", "env", "group", "tool", "'a b'", "~", "x*"),
        ]
    ),
    max_size=12,
)


@given(WORDS)
def test_no_words_break_it(words: list[str]) -> None:
    for install in installs("x " + " ".join(words) + " && y"):
        assert all(package.name and package.raw for package in install.packages)
        assert all(install.span.line == package.span.line == 2 for package in install.packages)
