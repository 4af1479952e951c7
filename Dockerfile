# Treadle's studio in a container. Build: docker build -t treadle .
# Run (the studio listens on loopback only until logins are configured, so it shares the host's network):
#   docker run --network host -v treadle:/data treadle
# Your own workflows: add `-v $PWD/flows:/flows:ro` and, behind the image's name, `serve --workflows /flows`.

FROM python:3.13-slim-bookworm AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/treadle
# Dependencies first: this layer is rebuilt only when the lock changes.
COPY requirements/serve.txt requirements/serve.txt
RUN /opt/treadle/bin/pip install --require-hashes -r requirements/serve.txt
COPY . .
# Built with the locked hatchling, then installed as the wheel that anybody would get.
RUN /opt/treadle/bin/python -m hatchling build --target wheel --directory /dist \
    && /opt/treadle/bin/pip install --no-deps --no-index /dist/*.whl

FROM python:3.13-slim-bookworm
COPY --from=build /opt/treadle /opt/treadle
ENV PATH=/opt/treadle/bin:$PATH PYTHONUNBUFFERED=1 TREADLE_DATABASE=sqlite:////data/treadle.db
# Numeric, so that a cluster can prove it is not root.
RUN install -d -m 0700 -o 10001 -g 10001 /data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8765
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8765/health', timeout=2)"]
ENTRYPOINT ["treadle"]
CMD ["serve"]
