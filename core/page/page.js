/* What the page does in the browser: choosing without asking the server, saying results aloud,
   sharing. `window.lookalike` comes with the language and the words Gradio lacks in it. */
(() => {
  const page = window.lookalike;
  for (const [key, value] of [["language", page.lang], ["languages", [page.lang]]]) {
    Object.defineProperty(navigator, key, { get: () => value });
  }

  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const showOnly = (elements, shown) => elements.forEach((element, i) => (element.hidden = i !== shown));

  // [face, match] on show
  page.chosen = () => {
    const face = Number(one("#result input[name=face]:checked")?.value ?? 0);
    const match = Number(one(`#result input[name=match-${face}]:checked`)?.value ?? 0);
    return [face, match];
  };

  // "What is alike?" of the face and match on show. Asked of the server once; the button then
  // shows and hides the light over the visitor's face. The sentence goes onto the share card too.
  const compared = () => {
    const [face, match] = page.chosen();
    return one(`#result .one[data-face="${face}"] .compare[data-match="${match}"]`);
  };
  const token = () => one("#result [data-token]")?.dataset.token;

  // For the share card and what is alike one face is sent, not all of the photo.
  page.faceOnShow = (kept, gender, country) => {
    const [face, match] = page.chosen();
    const told = compared()?.dataset.told?.split(" ") ?? [];
    return [kept && { ...kept, faces: [kept.faces[face]], scene: "" }, gender, country, [0, match, told]];
  };

  let asked = null;
  const askAlike = (button) => {
    const heat = one(".heat", button.closest(".compare"));
    if (heat) {
      heat.hidden = !heat.hidden;
      button.ariaPressed = String(!heat.hidden);
    } else if (!asked && !one("p", button.parentElement).textContent) {
      asked = { compare: button.closest(".compare"), token: token() };
      button.ariaBusy = "true";
      page.askAlike();
    }
  };
  const alikeAnswered = () => {
    const { compare, token: then } = asked;
    asked = null;
    one(".alike button", compare)?.removeAttribute("aria-busy");
    return then === token() ? compare : null; // of another photo by now
  };
  page.alikeFailed = () => { alikeAnswered(); return []; };
  page.showAlike = (told) => {
    const compare = alikeAnswered();
    if (!compare || !told) return [];
    one(".alike p", compare).textContent = one("#said").textContent = told.sentence;
    if (told.heat) {
      compare.dataset.told = told.told.join(" ");
      const heat = Object.assign(new Image(), { className: "heat", alt: "", src: told.heat });
      one(".pair .face", compare).append(heat);
      one(".alike button", compare).ariaPressed = "true";
    }
    return [];
  };
  const forgetAlike = (compare) => {
    one(".heat", compare)?.remove();
    delete compare.dataset.told;
    const button = one(".alike button", compare);
    if (button) { button.ariaPressed = "false"; one(".alike p", compare).textContent = ""; }
  };

  // Switching the language loads the page anew. What it shows goes with it: through this tab's
  // own storage, or through its name where storage is refused, as in another site's frame. Both
  // are emptied on arrival.
  const CARRIED = "lookalike";
  const takeCarried = () => {
    let text = null;
    try {
      text = sessionStorage.getItem(CARRIED);
      sessionStorage.removeItem(CARRIED);
    } catch { /* no storage */ }
    if (window.name.startsWith(CARRIED + "{")) {
      const named = JSON.parse(window.name.slice(CARRIED.length));
      window.name = named.name;
      text ??= named.text;
    }
    return text;
  };
  let onShow = [null]; // what the browser keeps, and the filters
  let toChoose = null;
  page.remember = (shown) => { onShow = shown; };
  page.carried = () => {
    try {
      const carried = JSON.parse(takeCarried());
      if (carried) { toChoose = carried.chosen; return carried.onShow; }
    } catch { /* not what was carried: the page starts empty */ }
    return [null, null, null];
  };
  const carry = () => {
    if (!onShow[0]) return;
    const text = JSON.stringify({ onShow, chosen: page.chosen() });
    try {
      sessionStorage.setItem(CARRIED, text);
    } catch { // too large, or no storage
      window.name = CARRIED + JSON.stringify({ text, name: window.name });
    }
  };
  const choose = ([face, match]) => {
    for (const name of [`face][value="${face}"`, `match-${face}][value="${match}"`]) {
      const radio = one(`#result input[name=${name}]`);
      if (radio) { radio.checked = true; radio.dispatchEvent(new Event("change", { bubbles: true })); }
    }
  };

  const dropCard = () => { const card = one("#card .card"); if (card) card.hidden = true; };

  document.addEventListener("change", ({ target }) => {
    if (target.name === "face" && target.closest("#result")) {
      showOnly(all("#result .one"), Number(target.value));
      for (const row of all("#result .group button")) row.ariaPressed = String(row.dataset.face === target.value);
      dropCard();
    } else if (target.name?.startsWith("match-")) {
      showOnly(all(".compare", target.closest(".one")), Number(target.value));
      dropCard();
    }
  });

  document.addEventListener("input", ({ target }) => {
    if (target.closest(".blend")) target.closest(".blend").style.setProperty("--blend", target.value / 100);
  });

  document.addEventListener("click", ({ target, ctrlKey, metaKey, shiftKey }) => {
    if (target.closest("#languages a") && !(ctrlKey || metaKey || shiftKey)) carry();
    const row = target.closest("#result [data-face] button, #result button[data-face]");
    if (row?.dataset.face) choose([row.dataset.face]);
    const share = target.closest(".share");
    if (share) shareCard(share);
    const alike = target.closest("#result .alike button");
    if (alike) askAlike(alike);
  });

  // A portrait that cannot be loaded gives way to the monogram behind it; a photo that the browser
  // cannot show, though the server may read it, leaves its box empty.
  document.addEventListener("error", ({ target }) => {
    if (target.matches?.(".face img")) target.hidden = true;
    else if (target.matches?.("#photo img")) target.hidden = true;
  }, true);
  document.addEventListener("load", ({ target }) => {
    if (target.matches?.("#photo img")) target.hidden = false;
  }, true);

  const cardFile = async () => {
    const link = one("#card a[download]");
    const blob = await (await fetch(link.href)).blob();
    return new File([blob], link.download, { type: "image/png" });
  };

  const shareCard = async (button) => {
    try {
      await navigator.share({ files: [await cardFile()], text: button.dataset.text });
    } catch (error) {
      if (error.name !== "AbortError") throw error; // closed by the visitor
    }
  };

  const offerSharing = async () => {
    const button = one("#card .share[hidden]");
    if (button && navigator.canShare?.({ files: [await cardFile()] })) button.hidden = false;
  };

  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  const intoView = (element, block = "start") =>
    element.scrollIntoView({ behavior: calm() ? "auto" : "smooth", block });

  // Gradio patches a new answer into the old one's elements: what a visitor has moved stays moved.
  const startAgain = (result) => {
    for (const radio of all("input[type=radio]", result)) radio.checked = radio.defaultChecked;
    for (const slider of all("input[type=range]", result)) slider.value = slider.defaultValue;
    for (const blend of all(".blend", result)) { blend.open = false; blend.style.removeProperty("--blend"); }
    for (const image of all("img[hidden]", result)) image.hidden = image.complete && !image.naturalWidth;
    for (const compare of all(".compare", result)) forgetAlike(compare);
    for (const copy of all("img[data-mine]", result)) {
      copy.src = one(`.one[data-face="${copy.dataset.mine}"] .compare .face img`, result).src;
    }
  };

  // The gr.HTML parts of the page call these once they are there and when their value changes
  // (core/page/layout.py).
  let said = null;
  page.showResult = () => requestAnimationFrame(() => {
    const result = one("#result [data-token]");
    if (one("#result .waiting")) toChoose = null; // what was carried could not be shown
    if (result && result.dataset.token !== said) {
      startAgain(result);
      if (toChoose) choose(toChoose);
      toChoose = null;
      one("#said").textContent = result.dataset.announce;
      if (innerWidth < 720) {
        if (result.classList.contains("shown")) intoView(one("#output"));
        else intoView(result, "nearest");
      }
    }
    said = result?.dataset.token ?? null;
  });

  page.showCard = () => requestAnimationFrame(() => {
    const card = one("#card .card");
    if (!card) return;
    card.hidden = false;
    one("#said").textContent = one("img", card).alt;
    offerSharing();
    intoView(card);
  });

  // What else is in the address stays, such as the theme and the pass that a Space's frame gives.
  page.markLanguage = (links) => {
    for (const link of all("a", links)) {
      const query = new URLSearchParams(location.search);
      query.set("lang", link.lang);
      link.search = query;
      if (link.lang === page.lang) link.setAttribute("aria-current", "true");
    }
  };

  const ACCESS = ":is(#photo, #camera) .image-container button:has(> .wrap > .icon-wrap):not(.upload-container)";
  // One tap less: whoever chose the camera wants it switched on.
  const startCamera = () => {
    for (const access of all(ACCESS)) {
      if (access.dataset.asked || !access.checkVisibility()) continue;
      access.dataset.asked = "yes";
      if (media) access.click();
      else tell("camera needs https");
    }
  };

  // One sentence below the camera or the photo; none without a key of `page.words`.
  const tell = (key) => {
    for (const note of all(".camera-refused")) note.remove();
    const input = all("#photo, #camera").find((element) => element.checkVisibility());
    if (!page.words[key] || !input) return;
    const note = Object.assign(document.createElement("p"), { className: "camera-refused" });
    note.setAttribute("role", "alert");
    input.after(note);
    note.textContent = page.words[key];
  };

  // Gradio tells nobody of a camera that it may not have, as in another site's frame.
  const media = navigator.mediaDevices; // none at an address without https
  if (media?.getUserMedia) {
    const ask = media.getUserMedia.bind(media);
    media.getUserMedia = async (wanted) => {
      try {
        const stream = await ask(wanted);
        tell();
        return stream;
      } catch {
        tell("camera refused");
        return new Promise(() => {}); // the button waits for another try
      }
    };
  } else {
    document.addEventListener("click", (event) => {
      if (!event.target.closest(ACCESS)) return;
      event.stopImmediatePropagation(); // Gradio would show the key of a sentence that it lacks
      tell("camera needs https");
    }, true);
  }

  // The live mode sends frames and gets answers on a stream of their own: a proxy that holds the
  // stream back leaves it silent, and so does a server that is gone.
  const SILENCE = 6000; // milliseconds
  const live = { event: null, heard: 0, told: false };
  const liveOn = (event) => Object.assign(live, { event, heard: performance.now() });
  const tellSilence = (silent) => {
    if (silent !== live.told) tell(silent ? "live silent" : undefined);
    live.told = silent;
  };
  const hear = (text) => {
    if (!live.event || !text.includes(live.event)) return;
    live.heard = performance.now();
    if (text.includes('"process_completed"')) live.event = null;
    tellSilence(false);
  };
  setInterval(() => {
    if (!one("#camera video")) live.event = null;
    tellSilence(Boolean(live.event) && performance.now() - live.heard > SILENCE);
  }, 1000);

  const isLive = (body) => {
    const { fn_index } = JSON.parse(body);
    const called = window.gradio_config.dependencies.find(({ id }) => id === fn_index);
    return called?.targets.some(([, name]) => name === "stream");
  };
  // Gradio opens a stream of answers for the first event and ends it after the last. An event taken
  // while that end is still under way would be waited for on the old stream for ever: Gradio is told
  // that it was taken once the stream has named it, or ended.
  const LATE = 2000; // milliseconds; by then it waits in a queue, or the stream was cut
  const stream = { open: false, named: new Set(), waiting: new Set() };
  const streamed = (text) => {
    for (const [, id] of text.matchAll(/"event_id":\s*"(\w+)"/g)) stream.named.add(id);
    if (text.includes('"close_stream"')) stream.open = false;
    for (const check of stream.waiting) check();
  };
  const heardOf = ({ event_id: id }) => new Promise((done) => {
    const check = () => {
      if (stream.open && !stream.named.has(id)) return;
      stream.waiting.delete(check);
      setTimeout(done); // Gradio reads first what the stream said
    };
    stream.waiting.add(check);
    check();
    setTimeout(() => { stream.waiting.delete(check); done(); }, LATE);
  });
  const listening = (response) => {
    const decoder = new TextDecoder();
    const heard = new TransformStream({
      transform(part, out) {
        const text = decoder.decode(part, { stream: true });
        hear(text);
        streamed(text);
        out.enqueue(part);
      },
    });
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(heard), { status, statusText, headers });
  };
  // Gradio tells nobody of an event that is not taken.
  const REFUSED = { 413: "photo too large", 429: "too many", 503: "busy" };
  let refused = false;
  const joined = async (response, body) => {
    if (refused || !response?.ok) tell(response?.ok ? undefined : REFUSED[response?.status] ?? "no answer");
    refused = !response?.ok;
    if (!refused && isLive(body)) liveOn((await response.clone().json()).event_id);
  };

  const { fetch } = window;
  window.fetch = async (resource, options) => {
    const { pathname } = new URL(resource?.url ?? resource, document.baseURI);
    const joins = pathname.endsWith("/queue/join");
    const listens = pathname.endsWith("/queue/data");
    if (listens) Object.assign(stream, { open: true, named: new Set() });
    let response;
    try {
      response = await fetch(resource, options);
    } finally {
      if (joins) joined(response, options.body);
    }
    if (joins && response.ok) await heardOf(await response.clone().json().catch(() => ({})));
    if (/\/stream\/[^/]+\/close$/.test(pathname)) live.event = null;
    if (!listens) return response;
    if (!response.ok) joined(response);
    return response.body ? listening(response) : response;
  };

  const translate = (root) => {
    for (const element of [root, ...all("[aria-label], [title]", root)]) {
      for (const name of ["aria-label", "title"]) {
        const word = page.words[element.getAttribute(name)];
        if (word) element.setAttribute(name, word);
      }
    }
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const word = page.words[texts.currentNode.nodeValue.trim()];
      if (word) texts.currentNode.nodeValue = word;
    }
  };

  // What Gradio says in English of a server or a proxy that does not answer as it should.
  const FAULTS = [
    [/^HTTP 413|^File\(s\) exceed/, "photo too large"],
    [/^HTTP 429/, "too many"],
    [/^HTTP 503|^This application is currently busy/, "busy"],
    [/^HTTP \d|^Could not parse server response|^Connection (errored out|to the server)/, "no answer"],
  ];
  const sayFaults = () => {
    for (const text of all("[data-testid=toast-text]")) {
      const [, key] = FAULTS.find(([told]) => told.test(text.textContent.trim())) ?? [];
      if (page.words[key]) text.textContent = page.words[key];
    }
  };

  // Gradio calls the live mode's start and stop "capture photo": their own words say what they do.
  const nameLiveButton = () =>
    all("#camera .capture-button[aria-label]").forEach((button) => button.removeAttribute("aria-label"));

  // Gradio gives each radio a name of its own: with one name, arrow keys go from one to the next.
  const groupFilters = () => all("#filters input[type=radio]").forEach((radio) => (radio.name = "who"));

  // Gradio's own components tell nobody when they change: only they are observed.
  const tidy = () => {
    groupFilters();
    nameLiveButton();
    startCamera();
    sayFaults();
    for (const root of all("#photo, #camera, footer, .sr-only[role=status]")) translate(root);
  };

  let waiting = false;
  new MutationObserver(() => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; tidy(); });
  }).observe(document, { childList: true, subtree: true });
})();
