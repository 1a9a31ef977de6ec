# docker build -t lookalike . && docker run -p 7860:7860 lookalike
# A gallery of your own: docker run -p 7860:7860 -v "$PWD/dataset:/app/dataset" lookalike
FROM python:3.11-slim

# opencv-python needs libGL.so.1 and glib; Pillow FriBiDi, for names written right to left.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 libfribidi0 \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home visitor
WORKDIR /app
RUN chown visitor /app

# Every package as it was tested, by its hash.
COPY requirements-lock.txt .
RUN python -m pip install --no-cache-dir --require-hashes -r requirements-lock.txt

USER visitor
COPY --chown=visitor . .
RUN python scripts/download_models.py
RUN python scripts/build_actor_index_insightface.py --dataset-dir dataset

ENV PORT=7860 PYTHONUNBUFFERED=1
EXPOSE 7860
CMD ["python", "app.py"]
