# The load generator, from the clone's root: docker build --file compose/locust.Dockerfile .
FROM python:3.13-slim
WORKDIR /app
COPY compose/locust.lock requirements.lock
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock
COPY shaketable shaketable
COPY locustfiles locustfiles
RUN useradd --uid 10001 --create-home locust
USER locust
ENV PYTHONPATH=/app PYTHONUNBUFFERED=1
EXPOSE 8089
ENTRYPOINT ["locust"]
CMD ["-f", "locustfiles/ingest.py"]
