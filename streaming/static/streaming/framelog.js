/** Which frames does the console keep and show? A bounded list, newest first; no DOM in here. */

/** As many as somebody scrolls through; a busy stream fills it in seconds. */
export const MAX_FRAMES = 500;

export class FrameLog {
  /** How many have come since the list was paused; null while it runs. */
  waiting = null;
  hidesHeartbeats = false;
  #frames = [];
  #shown = [];
  #lastId = 0;

  /** Take a frame `{way, text, atMs}`, `way` being in, out or note; return it, or null when it is not to be seen now. */
  add(frame) {
    const kept = Object.freeze({id: ++this.#lastId, ...frame});
    this.#frames = [kept, ...this.#frames.slice(0, MAX_FRAMES - 1)];
    if (this.waiting !== null) {
      this.waiting += 1;
      return null;
    }
    this.#shown = this.#frames;
    return this.#isVisible(kept) ? kept : null;
  }

  /** What is to be seen, newest first. */
  visible() {
    return this.#shown.filter((frame) => this.#isVisible(frame));
  }

  pause() {
    this.waiting = 0;
  }

  resume() {
    this.waiting = null;
    this.#shown = this.#frames;
  }

  clear() {
    this.#frames = this.#shown = [];
    if (this.waiting !== null) this.waiting = 0;
  }

  #isVisible(frame) {
    return !(this.hidesHeartbeats && isHeartbeat(frame.text));
  }
}

export function isHeartbeat(text) {
  return text.startsWith('{"event":"heartbeat"');
}

const OPENS = "{[";
const CLOSES = "}]";

/**
 * Return a JSON text with a line for each member. The text's own characters stay: reading it as numbers would make
 * 1.0850 of 1.08500, and lose the last digits of a long one. What is not JSON comes back as it is.
 */
export function pretty(text) {
  if (!isJson(text)) return text;
  let depth = 0;
  const broken = () => `\n${"  ".repeat(depth)}`;
  const written = [...tokens(text)].map((token, index, all) => {
    if (OPENS.includes(token)) {
      if (CLOSES.includes(all[index + 1])) return token;
      depth += 1;
      return token + broken();
    }
    if (CLOSES.includes(token)) {
      if (OPENS.includes(all[index - 1])) return token;
      depth -= 1;
      return broken() + token;
    }
    if (token === ",") return token + broken();
    return token === ":" ? ": " : token;
  });
  return written.join("");
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function* tokens(text) {
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) yield token;
}
