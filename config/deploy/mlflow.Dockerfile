# MLflow's tracking server with PostgreSQL's driver, which its own image lacks.
FROM python:3.13-slim
COPY mlflow.txt /tmp/mlflow.txt
RUN pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r /tmp/mlflow.txt \
    && pip check \
    && install --directory --owner 10002 --group 10002 /artifacts
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10002:10002
VOLUME /artifacts
EXPOSE 5000
# libpq reads PGPASSWORD, so the password is in no command line and needs no escaping in a URL.
CMD ["sh", "-c", "PGPASSWORD=\"$(cat /run/secrets/postgres_password)\" exec mlflow server --host 0.0.0.0 --port 5000"]
