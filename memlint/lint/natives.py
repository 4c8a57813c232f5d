"""Packages that processes map files of: whose libraries and programs cost pages that could be shared."""

from __future__ import annotations

import re

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memlint.dockerfile.installs import Install

_NO_PROGRAMS = re.compile(
    r".*-(?:dev|devel|headers|doc|docs|dbg|dbgsym|data|man|keyring|locales?|static)|fonts?-.*|.*-fonts?|ttf-.*"
    r"|linux-headers.*|musl-locales|tzdata|locales|ca-certificates|apt-transport-https|mime-support|media-types"
    r"|hicolor-icon-theme|(?:build|dev)-(?:essential|base)|alpine-sdk|gcc|g\+\+|cpp|clang|llvm|make|cmake|ninja(?:-build)?"
    r"|meson|autoconf|automake|libtool|pkg-config|pkgconf(?:ig)?|bison|flex|patch|gcc-.*|gcc-c\+\+|binutils|re2c|debhelper"
    r"|dpkg-dev|devscripts|netbase|software-properties-common|gnupg2?|dirmngr|wget|unzip|xz-utils|xz|bzip2|zip|lsb-release"
)
"""Packages of a distribution with nothing that a service keeps mapped: data, headers, compilers, tools of builds."""

_NATIVE = {
    "pypi": frozenset(
        "aiohttp mmh3 cachebox argon2-cffi asyncpg awscrt backports-zstd bcrypt blis bottleneck brotli catboost cffi"
        " confluent-kafka contourpy couchbase cryptography cupy-cuda12x curl-cffi cython-runtime dask-cudf debugpy"
        " duckdb faiss-cpu faiss-gpu fastparquet fiona frozenlist gdal gensim geventhttpclient gevent"
        " google-crc32c greenlet grpcio grpcio-tools h5py httptools jaxlib kiwisolver lightgbm llvmlite lxml"
        " markupsafe matplotlib msgpack msgspec multidict mxnet mysqlclient netcdf4 netifaces numba numexpr numpy"
        " onnx onnxruntime onnxruntime-gpu opencv-contrib-python opencv-contrib-python-headless opencv-python"
        " opencv-python-headless orjson pandas pillow polars protobuf psutil psycopg-binary psycopg-c psycopg2"
        " psycopg2-binary pyarrow pycryptodome pycryptodomex pycurl pydantic-core pyerfa pymongo pymssql pymupdf"
        " pynacl pyodbc pyproj pyqt5 pyqt6 pyside6 python-ldap python-rapidjson pywavelets pyyaml pyzmq rapidfuzz"
        " rasterio ray regex rpds-py ruff safetensors scikit-image scikit-learn scipy sentencepiece shapely"
        " simsimd snowflake-connector-python spacy sqlalchemy statsmodels tables tensorflow tensorflow-cpu"
        " tensorflow-gpu tiktoken tokenizers torch torchaudio torchvision tornado triton ujson uvloop uwsgi"
        " watchfiles websockets wrapt xgboost yarl zope-interface zstandard".split()
    ),
    "npm": frozenset(
        "argon2 bcrypt better-sqlite3 bufferutil canvas cpu-features deasync esbuild farmhash fsevents grpc"
        " isolated-vm kerberos leveldown libpq libxmljs libxmljs2 lmdb msgpackr-extract node-rdkafka node-sass"
        " nodegit onnxruntime-node oracledb pg-native re2 robotjs rocksdb sharp snappy sodium-native sqlite3 ssh2"
        " usb utf-8-validate zeromq @datadog/pprof @google-cloud/profiler @grpc/grpc-native @mongodb-js/zstd"
        " @node-rs/argon2 @node-rs/bcrypt @prisma/engines @sentry/profiling-node @swc/core @tensorflow/tfjs-node"
        " @tensorflow/tfjs-node-gpu".split()
    ),
    "gem": frozenset(
        "bcrypt bigdecimal bootsnap ffi google-protobuf grpc hiredis json msgpack mysql2 nio4r nokogiri oj pg"
        " puma racc rbtrace redcarpet sassc snappy sqlite3 unf_ext".split()
    ),
}
"""Packages of other ecosystems with native modules: the rest is read, not mapped, and costs no shared page."""


def is_mapped(ecosystem: str, name: str) -> bool:
    """Whether processes map files of the package, as far as its name tells."""
    native = _NATIVE.get("pypi" if ecosystem == "conda" else ecosystem)
    return name in native if native is not None else not _NO_PROGRAMS.fullmatch(name)


def mapped_in(installs: Iterable[Install]) -> set[str]:
    """The packages of installs that processes map files of, as people write them."""
    return {
        package.name + (f"={package.version}" if package.version else "")
        for install in installs
        for package in install.packages
        if is_mapped(package.ecosystem, package.name)
    }
