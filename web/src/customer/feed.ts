// Where the frames come from: a socket, and while none can be had, server-sent events, then polling, all on one cursor, so
// nobody who reads the page can tell. The socket goes on trying in the background and takes over when it succeeds.
import { parseCustomerFrame, SUBPROTOCOL } from "../protocol.ts";
import type { CustomerFrame } from "../protocol.ts";
import { ReconnectingSocket } from "../socket.ts";

export type Connection = "connecting" | "live" | "reconnecting" | "offline" | "ended";

export interface FeedOptions {
  token: string;
  cursor: () => string;
  /** False when the frame revealed a hole: the feed then asks again from the cursor. */
  onFrame: (frame: CustomerFrame) => boolean;
  onConnection: (connection: Connection) => void;
  /** The link stopped working (revoked or unknown) while the page was open. */
  onGone: () => void;
}

const POLL_MS = 5_000;
const SILENCE_MS = 12_000;

export class Feed {
  readonly #options: FeedOptions;
  readonly #socket: ReconnectingSocket;
  #fallback: "none" | "events" | "polling" = "none";
  #events: EventSource | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #eventsFailed = 0;
  #connection: Connection | null = null;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#socket = new ReconnectingSocket({
      url: () => this.#url("live", location.protocol === "https:" ? "wss:" : "ws:"),
      protocols: [SUBPROTOCOL],
      silenceMs: SILENCE_MS,
      unreachableAfter: 2,
      onUnreachable: () => this.#startEvents(),
      onMessage: (text) => {
        // A socket may outlive a short loss of the network; then nothing but its next frame says that all is well.
        this.#say("live");
        return this.#take(text);
      },
      onState: (state, code) => {
        if (state === "open") {
          this.#stopFallback();
          this.#say("live");
        } else if (state === "ended") {
          this.#end(code !== 4001);
        } else if (this.#fallback === "none") {
          this.#say(state);
        }
      },
    });
  }

  start(): void {
    addEventListener("offline", this.#offline);
    addEventListener("online", this.#online);
    this.#socket.start();
    if (!navigator.onLine) this.#say("offline");
  }

  /** The story is over: nothing more will come, and nothing more is asked. */
  stop(): void {
    this.#end(false);
  }

  #url(kind: "live" | "events" | "", scheme = location.protocol): string {
    const url = new URL(`/v1/track/${this.#options.token}${kind === "" ? "" : `/${kind}`}`, location.href);
    url.protocol = scheme;
    const since = this.#options.cursor();
    if (kind !== "" && since !== "") url.searchParams.set("since", since);
    return url.href;
  }

  #take(text: string): boolean {
    const frame = parseCustomerFrame(text);
    return frame === null || this.#options.onFrame(frame);
  }

  #say(connection: Connection): void {
    const said = navigator.onLine || connection === "ended" ? connection : "offline";
    if (said === this.#connection) return;
    this.#connection = said;
    this.#options.onConnection(said);
  }

  #startEvents(): void {
    if (this.#fallback === "polling" || this.#events !== null) return;
    this.#fallback = "events";
    const events = new EventSource(this.#url("events"));
    this.#events = events;
    const listen = (event: MessageEvent<string>) => {
      this.#eventsFailed = 0;
      this.#say("live");
      this.#watch();
      if (!this.#take(event.data)) this.#restartEvents(0);
    };
    for (const type of ["snapshot", "status", "view", "position", "tick", "bye"]) events.addEventListener(type, listen);
    // Its own reconnect would use an old cursor and no jitter.
    events.addEventListener("error", () => this.#eventsLost());
    this.#watch();
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#eventsLost(), SILENCE_MS);
  }

  #eventsLost(): void {
    this.#events?.close();
    this.#events = null;
    this.#say("reconnecting");
    if (++this.#eventsFailed < 2) {
      this.#restartEvents(Math.random() * 1_000);
      return;
    }
    this.#fallback = "polling";
    void this.#poll();
  }

  #restartEvents(delay: number): void {
    this.#events?.close();
    this.#events = null;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#startEvents(), delay);
  }

  async #poll(): Promise<void> {
    let wait = POLL_MS;
    try {
      const response = await fetch(this.#url(""), { cache: "no-store", signal: AbortSignal.timeout(SILENCE_MS) });
      if (this.#fallback !== "polling") return;
      if (response.status === 404) return this.#end(true);
      if (!response.ok) throw new RefusedError(Number(response.headers.get("Retry-After") ?? 0) * 1000);
      this.#take(await response.text());
      this.#say("live");
    } catch (error) {
      if (this.#fallback !== "polling") return;
      this.#say("reconnecting");
      wait = Math.max(POLL_MS, error instanceof RefusedError ? error.waitMs : 0);
    }
    // A little jitter keeps thousands of pages that fell back together from asking together.
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#poll(), wait * (0.8 + 0.4 * Math.random()));
  }

  #stopFallback(): void {
    this.#fallback = "none";
    this.#eventsFailed = 0;
    clearTimeout(this.#timer);
    this.#events?.close();
    this.#events = null;
  }

  #end(gone: boolean): void {
    if (this.#connection === "ended") return;
    this.#stopFallback();
    this.#socket.stop();
    removeEventListener("offline", this.#offline);
    removeEventListener("online", this.#online);
    this.#say("ended");
    if (gone) this.#options.onGone();
  }

  readonly #offline = (): void => this.#say("offline");
  readonly #online = (): void => {
    this.#connection = null;
    this.#say("reconnecting");
    if (this.#fallback === "polling") void this.#poll();
  };
}

class RefusedError extends Error {
  readonly waitMs: number;

  constructor(waitMs: number) {
    super("refused");
    this.waitMs = Number.isFinite(waitMs) ? waitMs : 0;
  }
}
