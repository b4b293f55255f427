# The load generator, from the clone's root: docker build --file compose/locust.Dockerfile .
FROM python:3.13-slim
WORKDIR /app
COPY requirements.lock .
# The lock's versions, without its hashes: pip takes no constraint that has one.
RUN sed -nE 's/^([a-z0-9_.-]+==[^ ;]+).*/\1/p' requirements.lock > versions.txt \
 && pip install --no-cache-dir --constraint versions.txt hypothesis locust msgspec platformdirs psutil
COPY shaketable shaketable
COPY locustfiles locustfiles
RUN useradd --uid 10001 --create-home locust
USER locust
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1
EXPOSE 8089
ENTRYPOINT ["locust"]
CMD ["-f", "locustfiles/ingest.py"]
