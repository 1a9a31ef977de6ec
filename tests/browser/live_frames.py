"""The live mode's frames, counted in the page, and a camera that sees what a test shows it."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

from PIL import Image
from playwright.sync_api import Page

# A camera that sees what it is shown; `look` changes that.
CAMERA = """
  const canvas = Object.assign(document.createElement('canvas'), {width: 512, height: 512});
  const pen = canvas.getContext('2d');
  window.look = url => new Promise(done => {
    const picture = new Image();
    picture.onload = () => { window.picture = picture; done(); };
    picture.src = url;
  });
  setInterval(() => window.picture && pen.drawImage(window.picture, 0, 0, 512, 512), 50);
  navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(20);
"""
# Notes when frames are sent, and what the server answers, on the page's own clock.
COUNTING = """
  const real = window.fetch;
  window.sent = [];
  window.answers = [];
  window.fetch = async (resource, options) => {
    const address = String(resource?.url ?? resource);
    if (address.includes('/stream/') && !address.endsWith('/close')) sent.push(performance.now());
    const response = await real(resource, options);
    if (!address.includes('queue/data')) return response;
    const [one, other] = response.body.tee();
    (async () => {
      const reader = other.getReader(), decoder = new TextDecoder();
      let text = '';
      try {
        for (;;) {
          const {done, value} = await reader.read();
          if (done) return;
          text += decoder.decode(value, {stream: true});
          const messages = text.split('\\n\\n');
          text = messages.pop();
          for (const message of messages)
            if (message.includes('"process_streaming"'))
              answers.push(JSON.parse(message.slice(5)).output.duration);
        }
      } catch {}
    })();
    return new Response(one, {status: response.status, headers: response.headers});
  };
"""


@dataclass(frozen=True)
class Flow:
    """Frames between two moments."""

    sent: int
    durations: list[float]  # seconds the server took, one an answered frame
    seconds: float


def look(page: Page, picture: Image.Image) -> None:
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, "JPEG", quality=95)
    encoded = base64.b64encode(stream.getvalue()).decode()
    page.evaluate("url => look(url)", f"data:image/jpeg;base64,{encoded}")


def watch(page: Page, milliseconds: int) -> Flow:
    """What goes to and fro in this time."""
    state = "({sent: sent.length, answers: answers.length, now: performance.now()})"
    before: dict[str, Any] = page.evaluate(state)
    page.wait_for_timeout(milliseconds)
    after: dict[str, Any] = page.evaluate(state)
    durations = page.evaluate(f"answers.slice({before['answers']}, {after['answers']})")
    seconds = (after["now"] - before["now"]) / 1000
    return Flow(after["sent"] - before["sent"], durations, seconds)
