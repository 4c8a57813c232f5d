"""Packages that processes map files of: whose libraries and programs cost pages that could be shared."""

from __future__ import annotations

from memlint import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memlint.dockerfile.installs import Install

_NO_PROGRAMS = frozenset(
    "alpine-sdk apt-transport-https autoconf automake binutils bison build-base build-essential bzip2 ca-certificates"
    " clang cmake cpp debhelper dev-base dev-essential devscripts dirmngr dpkg-dev flex g++ gcc gnupg gnupg2"
    " hicolor-icon-theme libtool llvm locales lsb-release make media-types meson mime-support musl-locales netbase"
    " ninja ninja-build patch pkg-config pkgconf pkgconfig re2c software-properties-common tzdata unzip wget xz"
    " xz-utils zip".split()
)
_FIRST_PARTS = ("font-", "fonts-", "gcc-", "linux-headers", "ttf-")
_LAST_PARTS = tuple(
    "-data -dbg -dbgsym -dev -devel -doc -docs -font -fonts -headers -keyring -locale -locales -man -static".split()
)
"""Names, and how names begin and end, of packages of a distribution with nothing that a service keeps mapped: data,
headers, compilers, tools of builds."""

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
    if native is not None:
        return name in native
    return not (name in _NO_PROGRAMS or name.startswith(_FIRST_PARTS) or name.endswith(_LAST_PARTS))


def mapped_in(installs: Iterable[Install]) -> set[str]:
    """The packages of installs that processes map files of, as people write them."""
    return {
        package.name + (f"={package.version}" if package.version else "")
        for install in installs
        for package in install.packages
        if is_mapped(package.ecosystem, package.name)
    }
