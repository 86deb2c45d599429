ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS builder
WORKDIR /app
COPY config/locks/runtime.txt /tmp/runtime.txt
# pip stays outside the environment that is shipped. The secrets are optional: config/image/build hands in the
# host's package index and certificates with them, and a secret leaves nothing in a layer.
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    --mount=type=secret,id=pip-ca.pem,target=/run/secrets/pip-ca.pem \
    python3 -m venv /tmp/installer \
    && python3 -m venv --without-pip venv \
    && /tmp/installer/bin/pip --python venv/bin/python install --disable-pip-version-check --progress-bar off \
        --no-cache-dir --no-compile --no-deps --require-hashes --only-binary :all: -r /tmp/runtime.txt \
        --report /tmp/installed.json \
    && /tmp/installer/bin/pip --python venv/bin/python check \
    && venv/bin/python -m compileall -q --invalidation-mode unchecked-hash venv/lib
# The tool that lists what is shipped is not shipped.
COPY config/locks/sbom.txt /tmp/sbom.txt
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf \
    --mount=type=secret,id=pip-ca.pem,target=/run/secrets/pip-ca.pem \
    /tmp/installer/bin/pip install --disable-pip-version-check --progress-bar off \
        --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /tmp/sbom.txt \
    && /tmp/installer/bin/pip check
COPY LICENSE LICENSE
COPY config/service.toml config/metrics.toml config/
COPY service service
COPY pyproject.toml config/image/sbom.py /tmp/
RUN /tmp/installer/bin/python /tmp/sbom.py venv/bin/python /tmp/installed.json /tmp/pyproject.toml service sbom.cdx.json
# The image's user must be able to read what a checkout with a strict umask keeps to its owner.
RUN venv/bin/python -m compileall -q --invalidation-mode unchecked-hash service \
    && chmod -R a+rX LICENSE config service sbom.cdx.json

FROM ${BASE_IMAGE}
ARG VERSION=unknown
LABEL org.opencontainers.image.title="experiment-tracking" \
      org.opencontainers.image.description="An async façade over MLflow's REST API: runs, lineage and comparisons for research frontends." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      experiment-tracking.sbom="/app/sbom.cdx.json"
WORKDIR /app
COPY --from=builder /app/venv venv
COPY --from=builder /app/LICENSE /app/sbom.cdx.json ./
COPY --from=builder /app/config config
COPY --from=builder /app/service service
# A folder for the snapshot of the index: a new volume that is mounted there takes over its owner.
RUN install -d -o 10001 -g 10001 -m 700 /var/lib/experiment-tracking
ENV PATH="/app/venv/bin:${PATH}" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TRACKING_HOST=::
USER 10001:10001
EXPOSE 8080
# It asks where TRACKING_HOST and TRACKING_PORT say that the service listens, and through no proxy.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-m", "service.commands.healthy"]
CMD ["python", "-m", "service"]
