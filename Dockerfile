# konnectd in a container. docs/operate/container.md says how it is built and used.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/konnectd
# Libraries change rarely, so they are a layer of their own; the hashes say that they are the ones that were tested.
COPY requirements.lock ./
RUN /opt/konnectd/bin/pip install --quiet --require-hashes --only-binary :all: --requirement requirements.lock
COPY setup.py pyproject.toml README.md LICENSE ./
COPY twisted twisted
COPY templates templates
COPY konnectd konnectd
RUN /opt/konnectd/bin/pip install --quiet --no-deps --no-build-isolation . \
    && /opt/konnectd/bin/konnectd version \
    && /opt/konnectd/bin/pip uninstall --quiet --yes setuptools wheel pip \
    && rm -rf /opt/konnectd/lib/python3.11/site-packages/twisted/test \
              /opt/konnectd/lib/python3.11/site-packages/twisted/*/test \
              /opt/konnectd/lib/python3.11/site-packages/ldaptor/test

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="konnectd" \
      org.opencontainers.image.description="An OpenID Connect provider for people who run their own directory" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 65532 konnectd \
    && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /var/lib/konnectd-docker --shell /usr/sbin/nologin konnectd
COPY --from=build /opt/konnectd /opt/konnectd
COPY container/entrypoint.sh /usr/local/bin/docker-entrypoint
ENV PATH=/opt/konnectd/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    KONNECTD_LISTEN=0.0.0.0:8777 \
    KONNECTD_METRICS_LISTEN=0.0.0.0:6777
WORKDIR /var/lib/konnectd-docker
USER 65532:65532
# The second one is where metrics are, for whoever wants them: without --with-metrics nothing listens there.
EXPOSE 8777 6777
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD konnectd healthcheck --hostname="${KONNECTD_LISTEN%% *}" --timeout=4
ENTRYPOINT ["/usr/local/bin/docker-entrypoint"]
CMD ["help"]
