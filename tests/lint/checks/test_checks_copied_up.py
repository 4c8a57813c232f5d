"""Commands that copy programs of a lower layer up."""

from __future__ import annotations

import pytest
from support.checks import evidence, findings, repaired

GO = "FROM golang:1.24 AS build\nRUN go build -o /out/server ./cmd\n"


@pytest.mark.parametrize(
    ("text", "command", "target"),
    [
        ("FROM debian:12\nRUN chmod -R a+rX /usr/bin\n", "chmod -R", "the programs in /usr/bin"),
        ("FROM debian:12\nRUN chmod -R 777 /\n", "chmod -R", "the programs in /"),
        ("FROM debian:12\nRUN make && chown -R root:root /usr/lib\n", "chown -R", "the programs in /usr/lib"),
        ("FROM debian:12\nRUN cd /usr && chgrp -R 0 ./lib\n", "chgrp -R", "the programs in /usr/lib"),
        ("FROM debian:12\nRUN chmod 755 /usr/bin/*\n", "chmod", "the programs in /usr/bin"),
        ("FROM debian:12\nRUN chmod u+s /usr/bin/ping\n", "chmod", "/usr/bin/ping"),
        ("FROM debian:12\nRUN chmod -x /usr/bin/gcc\n", "chmod", "/usr/bin/gcc"),
        ("FROM debian:12\nRUN touch /usr/lib/libz.so.1\n", "touch", "/usr/lib/libz.so.1"),
        ("FROM debian:12\nRUN mv /usr/bin/node /usr/bin/nodejs\n", "mv", "/usr/bin/node"),
        ("FROM debian:12\nRUN mv -t /opt /usr/bin/node\n", "mv", "/usr/bin/node"),
        ("FROM debian:12\nRUN ln /usr/bin/uuid /usr/bin/uuidgen\n", "ln", "/usr/bin/uuid"),
        ("FROM debian:12\nRUN strip /usr/lib/x86_64-linux-gnu/*.so\n", "strip", "/usr/lib/x86_64-linux-gnu"),
        ("FROM debian:12\nRUN patchelf --set-rpath /a /usr/bin/tool\n", "patchelf", "/usr/bin/tool"),
        ("FROM debian:12\nRUN find /usr -type f -exec chmod a+r {} +\n", "find -exec chmod", "the programs in /usr"),
        ("FROM debian:12\nUSER root\nRUN sudo chmod 755 /usr/bin/vim\n", "chmod", "/usr/bin/vim"),
        ("FROM node:22\nRUN setcap cap_net_bind_service=+ep /usr/local/bin/node\n", "setcap", "/usr/local/bin/node"),
        ("FROM node:22\nRUN setcap cap_net_raw+ep $(readlink -f $(which node))\n", "setcap", "/usr/local/bin/node"),
        ("FROM node:22\nRUN setcap cap_net_raw+ep `which node`\n", "setcap", "/usr/local/bin/node"),
        (
            "FROM node:22\nRUN apt-get install -y libcap2-bin tini && setcap a=ep /usr/local/bin/node\n",
            "setcap",
            "/usr/local",
        ),
        ("FROM node:22\nRUN chown -R node /usr/local\n", "chown -R", "the programs in /usr/local"),
        ("FROM python:3.13\nRUN chmod -R 777 /usr/local/lib\n", "chmod -R", "the programs in /usr/local/lib"),
        ("FROM continuumio/miniconda3:24\nRUN chown -R app /opt/conda\n", "chown -R", "the programs in /opt/conda"),
        ("FROM debian:12\nRUN apt-get install -y vim\nRUN chmod 755 /usr/bin/vim\n", "chmod", "/usr/bin/vim"),
        ("FROM node:22\nRUN chmod 755 /usr/local/bin/*\n", "chmod", "the programs in /usr/local/bin"),
        ("FROM node:22\nCOPY run.sh /usr/local/bin/\nRUN chmod +x /usr/local/bin/*\n", "chmod", "the programs in"),
        ("FROM python:3.13\nRUN chmod +x /usr/local/bin/python3*\n", "chmod", "/usr/local/bin/python3*"),
        ("FROM python:3.13\nRUN strip /usr/local/lib/libpython3.13.so.1.0\n", "strip", "/usr/local/lib/libpython3"),
        ("FROM python:3\nRUN strip /usr/local/lib/*.so.*\n", "strip", "/usr/local/lib/*.so.*"),
        ("FROM python:3\nRUN chmod 755 /usr/local/lib/python3.12/lib-dynload/*.so\n", "chmod", "lib-dynload/*.so"),
        ("FROM ruby:3.4\nRUN strip /usr/local/lib/libruby.so.3.4\n", "strip", "/usr/local/lib/libruby.so.3.4"),
        ("FROM continuumio/miniconda3:24\nRUN strip /opt/conda/lib/libz.so.1\n", "strip", "/opt/conda/lib/libz.so.1"),
        ("FROM python:3.12\nRUN pip install flask\nRUN chown -R a /usr/local/lib\n", "chown -R", "/usr/local/lib"),
        ("FROM python:3.12\nRUN pip install numpy\nRUN chown -R a /usr\n", "chown -R", "the programs in /usr"),
    ],
)
def test_files_of_the_base(text: str, command: str, target: str) -> None:
    found = evidence("ML105", text, "command", "target")
    assert [each[1] for each in found] == [command]
    assert target in str(found[0][2])
    assert findings("ML112", text) == []


@pytest.mark.parametrize(
    ("text", "target"),
    [
        (f"{GO}FROM debian:12\nCOPY --from=build /out/server /usr/local/bin/\nRUN chmod +x /usr/local/bin/server\n", 4),
        (f"{GO}FROM debian:12\nCOPY --from=build /out/server /server\nRUN chown app /server\n", 4),
        (f"{GO}FROM debian:12\nWORKDIR /app\nCOPY --from=build /out/server .\nRUN chmod +x server\n", 5),
        (f"{GO}FROM debian:12\nCOPY --from=build /out /app\nRUN useradd x && chown -R x /app\n", 4),
        ("FROM debian:12\nCOPY server /server\nRUN setcap cap_net_raw=ep /server\n", 2),  # only programs have these
        ("FROM debian:12\nCOPY libfoo.so /opt/\nRUN chmod 644 /opt/libfoo.so\n", 2),
        ("FROM debian:12\nADD https://example.org/v1/kubectl /usr/bin/kubectl\nRUN chmod +x /usr/bin/kubectl\n", 2),
        ("FROM debian:12\nRUN curl -fsSLo /usr/bin/jq https://example.org/jq\nRUN chmod +x /usr/bin/jq\n", 2),
        ("FROM debian:12\nRUN curl -LO https://example.org/$V/kubectl\nRUN chmod +x ./kubectl\n", 2),
        ("FROM debian:12\nRUN wget https://example.org/kubectl\nRUN mv kubectl /usr/local/bin/\n", 2),
        ("FROM golang:1.24\nRUN go install example.org/x/dlv@v1\nRUN mv /go/bin/dlv /\n", 2),
        ("FROM python:3 AS b\nRUN pip install a\nFROM python:3\nCOPY --from=b /v /v\nRUN chown -R a /v\n", 4),
        ("FROM python:3\nWORKDIR /app\nRUN uv sync\nCOPY . .\nRUN chown -R app /app\n", 3),
        ("FROM python:3\nRUN python -m venv /v && /v/bin/pip install a\nRUN chown -R app /v\n", 2),
        ("FROM debian:12\nADD https://example.org/a-1 https://example.org/a-2 /b/\nRUN chmod +x /b/a-*\n", 2),
        ("FROM debian:12\nCOPY --from=rust:1 /usr/local/cargo /cargo\nRUN chmod -R 777 /cargo\n", 2),
        ("FROM python:3.12\nRUN pip install numpy\nRUN chown -R app /usr/local/lib/python3.12/site-packages\n", 2),
        ("FROM python:3.12\nRUN pip install numpy\nRUN chown -R app /usr/local/lib/python3.12\n", 2),  # both did
        ("FROM python:3.12\nRUN python3 -m pip install numpy\nRUN chown -R app /usr/local\n", 2),
        ("FROM python:3.12\nRUN pip install numpy\nRUN strip /usr/local/lib/python3.12/site-packages/numpy/*.so\n", 2),
        ("FROM python:3.12\nRUN pip install numpy\nRUN strip /usr/local/lib/python3.12/site-packages/numpy/a.so\n", 2),
        ("FROM python:3.12\nRUN uv pip install --system numpy\nRUN chown -R a /usr/local/lib/python3.12\n", 2),
        ("FROM debian:12\nRUN pip install --target=/deps numpy\nRUN chown -R app /deps\n", 2),
        ("FROM debian:12\nRUN pip install --prefix /p numpy\nRUN chown -R app /p\n", 2),
        ("FROM node:22\nRUN npm install -g sharp\nRUN chown -R node /usr/local/lib/node_modules\n", 2),
        ("FROM node:22\nWORKDIR /app\nRUN npm install sharp\nRUN chown -R node /app\n", 3),
        ("FROM ruby:3.4\nRUN gem install nokogiri\nRUN chown -R app /usr/local/bundle\n", 2),
    ],
)
def test_files_of_the_image_itself(text: str, target: int) -> None:
    (found,) = findings("ML112", text)
    assert [related.location.span.line for related in found.related if related.location.span] == [target]
    assert findings("ML105", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "FROM debian:12\nRUN apt-get install -y vim && chmod 755 /usr/bin/vim\n",  # made by the same RUN
        "FROM debian:12\nRUN curl -o /usr/bin/jq https://example.org/jq && chmod +x /usr/bin/jq\n",
        "FROM debian:12\nRUN make install && setcap a=ep /usr/bin/tool\n",  # what make made is not known
        "FROM node:22\nRUN npm install -g x && setcap a=ep /usr/local/bin/node2\n",
        f"{GO}FROM debian:12\nCOPY --from=build --chmod=755 /out/server /server\n",
        f"{GO}RUN chmod 755 /out/server\nFROM debian:12\nCOPY --from=build /out/server /server\n",  # in a build stage
        "FROM debian:12\nCOPY entrypoint.sh /usr/bin/entrypoint.sh\nRUN chmod +x /usr/bin/entrypoint.sh\n",
        "FROM debian:12\nCOPY docker-entrypoint /usr/bin/\nRUN chmod +x /usr/bin/docker-entrypoint\n",
        "FROM debian:12\nCOPY tool /usr/bin/tool\nRUN chmod +x /usr/bin/tool\n",  # may be a script
        "FROM debian:12\nCOPY . /app\nRUN chown -R app /app\n",  # what the context holds is not known
        "FROM debian:12\nRUN chmod 1777 /tmp && chown app /usr/bin\n",  # directories alone
        "FROM debian:12\nRUN chown -R www-data /var/www /etc/nginx /usr/share/nginx\n",
        "FROM debian:12\nRUN chmod -R 777 /usr/local/bin\n",  # empty in that base
        "FROM node:22\nRUN chown -R node /usr/local/lib/node_modules\n",  # scripts
        "FROM node:22\nWORKDIR /usr/local/app\nRUN chown -R node /usr/local/app\n",
        "FROM python:3.13\nRUN chmod -R 755 /usr/local/share /usr/local/etc\n",
        "FROM debian:12\nRUN ln -s /usr/bin/a /usr/bin/b && ln -sf /usr/bin/a /usr/bin/c\n",
        "FROM debian:12\nRUN find / -perm /6000 -type f -exec chmod a-s {} \\;\n",  # few files
        "FROM debian:12\nRUN find /usr -type d -exec chmod 755 {} +\n",
        "FROM debian:12\nRUN find /usr -name '*.conf' -exec chmod 644 {} +\n",
        "FROM debian:12\nRUN patchelf --print-rpath /usr/bin/a && strip -o /x /usr/bin/a && setcap -v a /usr/bin/a\n",
        "FROM debian:12\nRUN if [ -f /usr/bin/tool ]; then chmod 755 /usr/bin/tool; fi\n",
        'FROM debian:12\nRUN chmod 755 $TOOL "$(cat list)"\n',
        "FROM scratch\nRUN chmod 755 /usr/bin/tool\n",
        "FROM debian:12\nRUN mv /usr/bin/setup.py /opt/ && mv a /usr/bin/b\n",
        "FROM golang:1 AS b\nRUN make web\nFROM nginx:1\nCOPY --from=b /w/dist /s/dist\nRUN chown -R a /s/dist\n",
        "FROM debian:12\nCOPY --from=composer:2 /usr/bin/composer /usr/bin/composer\nRUN chmod +x /usr/bin/composer\n",
        "FROM debian:12\nCOPY scripts /usr/bin\nRUN chmod +x /usr/bin/gather\n",
        "FROM debian:12\nRUN unzip a.zip -d /usr/bin\nRUN chmod +x /usr/bin/chromedriver\n",  # from where?
        "FROM quay.io/team/tool:1\nRUN mv /usr/bin/gather /usr/bin/gather2\n",  # may be a script
        "FROM python:3\nWORKDIR /app\nCOPY --from=b /app/.venv /app/.venv\nRUN chmod a+r *\n",  # hidden from *
        "FROM python:3.12\nRUN chown -R app /usr/local/lib/python3.12/site-packages\n",  # pip alone is there
        "FROM python:3.12\nRUN pip install flask\nRUN chown -R app /usr/local/lib/python3.12/site-packages\n",
        "FROM python:3.12\nRUN pip install --user numpy\nRUN chown -R a /usr/local/lib/python3.12/site-packages\n",
        "FROM python:3.12\nRUN uv pip install numpy\nRUN chown -R a /usr/local/lib/python3.12/site-packages\n",
        "FROM python:3\nRUN uv venv\nRUN pip install numpy\nRUN chown -R a /usr/local/lib/python3.1/site-packages\n",
        "FROM python:3.12\nRUN pip install numpy && chown -R a /usr/local/lib/python3.12/site-packages\n",
        "FROM node:22\nRUN npm install -g express\nRUN chown -R node /usr/local/lib/node_modules\n",
        "FROM node:22\nCOPY run.sh /usr/local/bin/\nRUN chmod +x /usr/local/bin/*.sh\n",
        "FROM node:22\nRUN chmod 755 /usr/local/lib/* /usr/local/share/*\n",
        "FROM python:3.13\nRUN strip /usr/local/lib/libown.so\n",
    ],
)
def test_what_copies_no_program_up(text: str) -> None:
    assert findings("ML105", text) == findings("ML112", text) == []


def test_one_finding_per_file_and_layer() -> None:
    text = f"{GO}FROM debian:12\nCOPY --from=build /out/server /s\nRUN chmod +x /s && chown a /s && setcap a=ep /s\n"
    assert evidence("ML112", text, "command") == [(5, "chmod")]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("COPY --from=build /out/server /s\nRUN chmod 0755 /s\n", "COPY --from=build --chmod=0755 /out/server /s\n"),
        ("COPY --from=build /out/server /s\nRUN chown a:b /s\n", "COPY --from=build --chown=a:b /out/server /s\n"),
        ("COPY --from=build /out/server /s\nRUN chmod 755 /s", "COPY --from=build --chmod=755 /out/server /s\n"),
        (
            'COPY --from=build ["/out/server", "/s"]\nRUN chmod 755 /s\n',
            'COPY --from=build --chmod=755 ["/out/server", "/s"]\n',
        ),
        (
            "COPY --from=build \\\n  # the server\n  /out/server /s\nRUN chmod 755 /s\n",
            "COPY --from=build \\\n  # the server\n  --chmod=755 /out/server /s\n",
        ),
        ("COPY --from=build -- /out/server /s\nRUN chmod 755 /s\n", None),  # no flag can follow --
        ("COPY --from=build /out/server /s\nRUN chown app /s\n", None),  # the group stays root, with COPY it would not
        ("COPY --from=build /out/server /s\nRUN chown app. /s\n", None),
        ("COPY --from=build /out/server /s\nRUN chown app: /s\n", None),
        ("COPY --from=build /out/server /s\nRUN chown :grp /s\n", None),
        ("COPY --from=build /out/server /s\nRUN chown --from=root:root app:grp /s\n", None),
        ('ARG U=app\nCOPY --from=build /out/server /s\nRUN chown $U:"my grp" /s\n', None),
        ("ARG M=755\nCOPY --from=build /out/server /s\nRUN chmod $M /s\n", None),  # a build may pass another one
        ("COPY --link --from=build /out/server /s\nRUN chown app:grp /s\n", None),  # where no /etc/passwd is
        (
            "COPY --link --from=build /out/server /s\nRUN chown 1:1 /s\n",
            "COPY --link --from=build --chown=1:1 /out/server /s\n",
        ),
        ("COPY --from=build /out/ /s\nRUN chmod 755 /s\n", None),  # a directory: what is in it would have that mode
        ("COPY --from=build /out/server /s\nRUN chmod +x /s\n", None),
        ("COPY --from=build /out/server /s\nRUN chmod 755 /s && true\n", None),
        ("COPY --from=build --chmod=700 /out/server /s\nRUN chmod 755 /s\n", None),
        ("COPY --from=build /out/server /out/x /s/\nRUN chmod 755 /s/server\n", None),
    ],
)
def test_the_repair(text: str, wanted: str | None) -> None:
    before = f"{GO}FROM debian:12\n"
    assert repaired("ML112", before + text) == before + (text if wanted is None else wanted)
