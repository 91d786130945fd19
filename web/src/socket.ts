// A WebSocket that comes back by itself: full jitter, at once when the tab wakes or the network returns, never after a
// close that said "for good". It knows nothing of frames but `bye` (how long to stay away); a URL is asked for anew at
// each attempt, so a resume cursor in it is always the newest.
import { CLOSED_FOR_GOOD } from "./protocol.ts";

export type SocketState =
  | "connecting"     // never been open yet
  | "open"
  | "reconnecting"
  | "ended";         // closed for good; see the code given to onState

export interface SocketOptions {
  url: () => string;
  protocols: string[];
  /** Each text message. Return false to have the connection replaced at once (a hole was seen). */
  onMessage: (text: string) => boolean | void;
  onState: (state: SocketState, code?: number) => void;
  /** No byte for so long means the connection is dead although nobody said so. The server ticks every 5 s. */
  silenceMs?: number;
  /** Longest wait before an attempt; the first is at most a second. */
  maxDelayMs?: number;
  /** Attempts that never opened, in a row, after which `onUnreachable` is told (a proxy may refuse sockets). */
  unreachableAfter?: number;
  onUnreachable?: () => void;
}

/** What a browser says when a connection just went away. */
const ABNORMAL = 1006;

export class ReconnectingSocket {
  readonly #options: SocketOptions;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #askedToWait: number | null = null;
  #lastMessageAt = 0;
  #opened = false;
  #everOpen = false;
  #stopped = true;

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    addEventListener("online", this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
    addEventListener("pageshow", this.#wake);
    this.#options.onState(this.#everOpen ? "reconnecting" : "connecting");
    this.#open();
  }

  stop(): void {
    this.#stopped = true;
    removeEventListener("online", this.#wake);
    document.removeEventListener("visibilitychange", this.#wake);
    removeEventListener("pageshow", this.#wake);
    this.#drop();
  }

  /** Sends if the socket is open. What must survive a reconnect is sent again by the caller when it hears "open". */
  send(message: unknown): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Replaces the connection now: the caller saw a hole and wants to resume from its cursor. */
  resync(): void {
    if (this.#stopped) return;
    this.#drop();
    this.#options.onState("reconnecting");
    this.#open();
  }

  #open(): void {
    const socket = new WebSocket(this.#options.url(), this.#options.protocols);
    this.#socket = socket;
    this.#opened = false;
    this.#watchSilence();
    socket.addEventListener("open", () => {
      if (socket !== this.#socket) return;
      this.#opened = true;
      this.#everOpen = true;
      this.#failures = 0;
      this.#lastMessageAt = Date.now();
      this.#watchSilence();
      this.#options.onState("open");
    });
    socket.addEventListener("message", (event: MessageEvent<string>) => {
      if (socket !== this.#socket) return;
      this.#lastMessageAt = Date.now();
      this.#watchSilence();
      this.#noteBye(event.data);
      if (this.#options.onMessage(event.data) === false) this.resync();
    });
    // An error is always followed by a close; one place handles both.
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#closed(event.code);
    });
  }

  #closed(code: number): void {
    this.#drop();
    if (this.#stopped) return;
    if (CLOSED_FOR_GOOD.has(code)) {
      this.stop();
      this.#options.onState("ended", code);
      return;
    }
    this.#failures++;
    this.#options.onState(this.#everOpen ? "reconnecting" : "connecting", code);
    if (!this.#opened && this.#failures === this.#options.unreachableAfter) this.#options.onUnreachable?.();
    if (this.#stopped) return;
    this.#timer = setTimeout(() => this.#open(), this.#delay());
  }

  // Full jitter: after a restart thousands of pages come back spread over the whole wait, not in one wave at its end.
  #delay(): number {
    const asked = this.#askedToWait;
    this.#askedToWait = null;
    const ceiling = Math.min(this.#options.maxDelayMs ?? 15_000, 500 * 2 ** Math.min(this.#failures, 10));
    return asked === null ? Math.random() * ceiling : asked + Math.random() * Math.max(asked, 500);
  }

  #noteBye(text: string): void {
    if (!text.includes('"bye"')) return;
    try {
      const frame = JSON.parse(text) as { type?: string; retry_after_ms?: number };
      if (frame.type === "bye") this.#askedToWait = Math.max(0, frame.retry_after_ms ?? 0);
    } catch {
      // A frame nobody can read is the frame parser's business.
    }
  }

  #watchSilence(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#closed(ABNORMAL), this.#options.silenceMs ?? 12_000);
  }

  // A phone's sleeping tab keeps a socket that is long dead. On waking nobody should wait for a timer to find out.
  readonly #wake = (): void => {
    if (this.#stopped || document.visibilityState === "hidden") return;
    const quietFor = Date.now() - this.#lastMessageAt;
    if (this.#socket?.readyState === WebSocket.OPEN && quietFor < 6_000) return;
    if (this.#socket?.readyState === WebSocket.CONNECTING) return;
    this.resync();
  };

  #drop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}
