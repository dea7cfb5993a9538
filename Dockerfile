# docker build -t ser-aae .                                   CPU
# docker build -t ser-aae --build-arg TENSORFLOW=gpu .        NVIDIA GPU (run with --gpus all)
#
# Two stages: the environment is built in the first and copied without what only a compiler needs.
FROM python:3.11-slim-bookworm AS build

ARG TENSORFLOW=cpu
WORKDIR /build
RUN python -m venv /opt/ser-aae
ENV PATH=/opt/ser-aae/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1
COPY requirements.txt .
# the wheel for CPUs is a third of the other one and holds the same version; ARM has the other alone
RUN case "$TENSORFLOW-$(uname -m)" in cpu-x86_64) \
      sed -i 's/^tensorflow==/tensorflow-cpu==/' requirements.txt ;; \
    esac \
    && case "$TENSORFLOW" in \
      cpu) pip install --no-deps --no-compile -r requirements.txt ;; \
      gpu) pip install --no-deps -r requirements.txt \
           && pip install "tensorflow[and-cuda]==$(sed -n 's/^tensorflow==//p' requirements.txt)" ;; \
      *) echo "TENSORFLOW: expected cpu or gpu, got $TENSORFLOW" >&2; exit 2 ;; \
    esac
COPY pyproject.toml README.md LICENSE ./
COPY ser_aae ser_aae
COPY data_prep data_prep
COPY tuning tuning
COPY reports reports
# not needed to run: headers, libclang that reads them, the part of LiteRT for browsers, tests (but
# those of TensorFlow, which it imports)
RUN pip install --no-deps --no-build-isolation . \
    && cd /opt/ser-aae/lib/python3.11/site-packages \
    && rm -rf tensorflow/include pyarrow/include clang onnx/backend/test \
        ai_edge_litert/libLiteRtWebGpuAccelerator.so \
        pandas/tests numpy/*/tests scipy/*/tests sklearn/*/tests \
    && python -m compileall -q ser_aae data_prep tuning reports \
    && pip uninstall --yes --quiet pip

FROM python:3.11-slim-bookworm

# the first process of a container hears no signal that it has no handler for, an alarm neither; tini
# takes its place
RUN apt-get update && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/*
# no account of the image is needed: any user given with --user works, whose home may not exist
RUN useradd --uid 10001 --no-create-home --home-dir /tmp ser-aae \
    && mkdir -p /data /store /runs && chmod 1777 /data /store /runs
COPY --from=build /opt/ser-aae /opt/ser-aae
ENV PATH=/opt/ser-aae/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp NUMBA_CACHE_DIR=/tmp/numba MPLCONFIGDIR=/tmp/matplotlib \
    SER_AAE_CONTAINER=1 SER_AAE_DATA=/data SER_AAE_STORE=/store SER_AAE_RUNS=/runs
VOLUME ["/data", "/store", "/runs"]
USER ser-aae
WORKDIR /runs
# well is also a container in which no server was asked for, such as one that trains
HEALTHCHECK --interval=30s --timeout=10s --start-period=2m \
    CMD ["python", "-m", "ser_aae.server.health"]
ENTRYPOINT ["tini", "-s", "--", "ser-aae"]
CMD ["--help"]
