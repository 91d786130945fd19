// The customer page's first script: it takes over the text the server sent, keeps it true, and only then fetches the map.
import { Dot } from "../dot.ts";
import type { DotView } from "../dot.ts";
import { SteadyEta } from "../eta.ts";
import { Words } from "../i18n/words.ts";
import { parseCustomerFrame } from "../protocol.ts";
import type { CustomerFrame } from "../protocol.ts";
import { ServerClock } from "./clock.ts";
import { DeliveryState } from "./delivery.ts";
import { Feed } from "./feed.ts";
import type { Connection } from "./feed.ts";
import { headline } from "./phrases.ts";
import { element, Renderer } from "./render.ts";
import type { Scene } from "./scene.ts";

const REDUCED = matchMedia("(prefers-reduced-motion: reduce)");

class CustomerPage {
  readonly #words = new Words(document.documentElement.lang, navigator.languages);
  readonly #renderer = new Renderer(this.#words);
  readonly #clock = new ServerClock();
  readonly #state = new DeliveryState();
  readonly #dot = new Dot(() => REDUCED.matches);
  readonly #eta = new SteadyEta();
  readonly #feed = new Feed({
    token: location.pathname.split("/").at(-1)!,
    cursor: () => this.#state.cursor,
    onFrame: (frame) => this.#take(frame),
    onConnection: (connection) => {
      this.#connection = connection;
      this.#show();
    },
    // The server says it best, and without a trace of what this page knew.
    // Not at once after loading: were the server of two minds, this would ask it in a circle.
    onGone: () => void setTimeout(() => location.reload(), Math.max(0, 5_000 - performance.now())),
  });
  #connection: Connection = "connecting";
  #heardAt = 0;
  #scene: Scene | null = null;
  #ticking: ReturnType<typeof setInterval> | undefined;

  start(): void {
    const frame = parseCustomerFrame(element("snapshot").textContent);
    // Without a snapshot the server's text stands, and the socket brings the first one.
    if (frame !== null) this.#take(frame);
    if (!this.#state.final) {
      this.#feed.start();
      // Ages and minutes go on when nothing arrives.
      this.#ticking = setInterval(() => this.#show(), 1_000);
    }
    this.#show();
    void this.#fetchMap();
  }

  #take(frame: CustomerFrame): boolean {
    if ("server_time" in frame) this.#clock.learn(frame.server_time);
    this.#heardAt = this.#clock.now();
    const outcome = this.#state.apply(frame);
    if (outcome === "hole") return false;
    const delivery = this.#state.known;
    if (delivery !== null) {
      if (delivery.position === null) this.#dot.forget();
      else this.#dot.report(delivery.position, this.#clock.now());
      if (outcome !== "nothing") this.#show();
      if (outcome === "status") this.#renderer.announce(headline(this.#words, delivery, null));
      if (this.#state.final) this.#finish();
    }
    return true;
  }

  #finish(): void {
    this.#feed.stop();
    clearInterval(this.#ticking);
    this.#show();
  }

  #look(): DotView | null {
    return this.#dot.at(this.#clock.now());
  }

  #show(): void {
    const delivery = this.#state.known;
    if (delivery === null) return;
    const now = this.#clock.now();
    this.#renderer.render({
      delivery, now, eta: this.#eta.next(delivery.eta, now), dot: this.#look(), connection: this.#connection,
      heardAt: this.#heardAt,
    });
    this.#scene?.update(delivery);
  }

  async #fetchMap(): Promise<void> {
    if (!("WebGL2RenderingContext" in globalThis)) return this.#withoutMap();
    // The room is taken before the map is there, so that the text does not jump when it comes.
    document.body.classList.add("with-map");
    element("map-frame").hidden = false;
    try {
      const { createScene } = await import("./scene.ts");
      this.#scene = createScene({ words: this.#words, look: () => this.#look(), reduced: () => REDUCED.matches });
    } catch {
      this.#scene = null;
    }
    if (this.#scene === null) this.#withoutMap();
    else if (this.#state.known !== null) this.#scene.update(this.#state.known);
  }

  #withoutMap(): void {
    document.body.classList.remove("with-map");
    element("map-frame").hidden = true;
    element("no-map").hidden = false;
  }
}

new CustomerPage().start();
