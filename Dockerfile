# Linly in a container: no root, no model inside; models and library live in volumes.
#   docker build -t linly .                          CPU, the small set of packages
#   docker build -t linly --build-arg FLAVOUR=cuda . NVIDIA GPUs, the full set (torch brings its own CUDA libraries,
#                                                    the driver comes from the host by the NVIDIA container toolkit)
FROM debian:bookworm-slim

ARG FLAVOUR=cpu

RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 1000 linly \
 && mkdir /app /weights /out /library \
 && chown linly:linly /app /weights /out /library

WORKDIR /app
COPY requirements.txt requirements-lite.txt ./
RUN case "$FLAVOUR" in \
      cpu) wanted=requirements-lite.txt ;; \
      cuda) wanted=requirements.txt ;; \
      *) echo "FLAVOUR is cpu or cuda, not $FLAVOUR" >&2; exit 2 ;; \
    esac \
 && python3 -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r "$wanted"

COPY --chown=linly:linly . .

ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    HOME=/home/linly \
    LINLY_WEIGHTS=/weights \
    LINLY_LIBRARY=/library \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility,video

USER linly
VOLUME ["/weights", "/library", "/out"]
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/', timeout=4).read(1)"]
CMD ["python", "app.py", "--listen", "--port", "7860"]
