# A schedule in a container: `personas run`, as nobody in particular, on a file system that is only read.
#
#   docker build -t personas .
#   docker run --read-only --mount type=bind,src=$PWD,dst=/work,readonly -e DATABASE_URL -e WRITE_KEY personas
#
# /work holds personas.toml and what it includes: mounted, or `COPY . /work` in an image of your own that is FROM this
# one. The state has to be in the warehouse ([state] store = "warehouse"): nothing is kept here. docs/schedules.md.

FROM python:3.11-slim AS build
ARG EXTRAS=postgres,snowflake
WORKDIR /kit
COPY pyproject.toml README.md LICENSE ./
COPY requirements requirements
COPY personas_kit personas_kit
# What the kit needs by its hashes; then the extras in the versions that are tested.
RUN python -m venv /opt/personas \
 && /opt/personas/bin/pip install --no-cache-dir --require-hashes -r requirements/core.lock \
 && sed -e 's/ *\\$//' -e '/--hash/d' requirements/dev.lock > constraints.txt \
 && /opt/personas/bin/pip install --no-cache-dir --constraint constraints.txt ".[${EXTRAS}]"

FROM python:3.11-slim
COPY --from=build /opt/personas /opt/personas
ENV PATH=/opt/personas/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/nonexistent
WORKDIR /work
USER 10001:10001
ENTRYPOINT ["personas"]
CMD ["run", "--approve", "guards", "--log", "json"]
