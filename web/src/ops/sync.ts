// Keeps the desk true: the roster and the open deliveries over REST, what changes over the socket.
//
// The socket says what happened to a delivery, not all that it is; one that is new or changed hands is read again, each at
// most once at a time. The roster is read again every 20 s, and soon after somebody left the view or the number on shift
// changed, because only the roster knows who came and who went.

import { ReconnectingSocket } from "../socket.ts";
import { parseOpsFrame, SUBPROTOCOL } from "../protocol.ts";
import type { OpsFrame, OpsView } from "../protocol.ts";
import type { Api } from "./api.ts";
import { ApiError } from "./api.ts";
import type { Desk } from "./desk.ts";
import { outgrown, widened } from "./viewport.ts";
import type { Viewport } from "./viewport.ts";

const rosterEvery = 20_000;
const rosterSoon = 1_500;
const askAtMostEvery = 300;
const mostReaders = 4;
/** The server reads at most 16 KB at a time; an id is 40 bytes of it. */
const mostFiltered = 300;
const keepEnded = 15 * 60_000;
/** More open deliveries than this are not listed one by one: 10 pages of 200. */
const pages = 10;

export class Sync {
  readonly #desk: Desk;
  readonly #api: Api;
  readonly #socket: ReconnectingSocket;
  readonly #wanted = new Set<string>();
  #readers = 0;
  #shown: Viewport | null = null;
  #asked: Viewport | null = null;
  #only: readonly string[] | null = null;
  #askTimer: ReturnType<typeof setTimeout> | undefined;
  #rosterTimer: ReturnType<typeof setTimeout> | undefined;
  #rosterDue = 0;
  /** When something last happened that a roster from before knows nothing of. */
  #changed = 0;

  constructor(desk: Desk, api: Api) {
    this.#desk = desk;
    this.#api = api;
    this.#socket = new ReconnectingSocket({
      url: () => `${location.origin.replace(/^http/, "ws")}/v1/ops/live`,
      protocols: [SUBPROTOCOL],
      onMessage: (text) => this.#message(text),
      onState: (state) => {
        this.#desk.link.value = state === "open" ? "live" : state === "connecting" ? "connecting" : "reconnecting";
        if (state !== "open") return;
        this.#ask();
        void this.refresh();
      },
    });
  }

  async start(): Promise<void> {
    setInterval(() => {
      this.#desk.now.value = Date.now();
    }, 1000);
    await this.refresh();
    if (this.#desk.link.value !== "refused") this.#socket.start();
  }

  /** Reads roster and open deliveries anew. */
  async refresh(): Promise<void> {
    try {
      await Promise.all([this.#readRoster(), this.#readDeliveries()]);
      this.#desk.unread.value = null;
    } catch (error) {
      this.#failed(error);
      this.#rosterIn(rosterEvery);
    }
    this.#desk.listed.value++;
    this.#desk.moved.value++;
  }

  /** Reads one delivery again, after something happened to it. */
  async readDelivery(id: string): Promise<void> {
    try {
      this.#desk.ledger.put(await this.#api.delivery(id));
      this.#desk.listed.value++;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Reads deliveries again in their turn: a busy minute is a longer queue, not a burst of requests. */
  #want(id: string): void {
    this.#wanted.add(id);
    if (this.#readers >= mostReaders) return;
    this.#readers++;
    void this.#readWanted().finally(() => this.#readers--);
  }

  async #readWanted(): Promise<void> {
    for (const id of this.#wanted) {
      this.#wanted.delete(id);
      await this.readDelivery(id);
    }
  }

  /** Reads a courier's open deliveries again, for the order of the stops. */
  async readRoute(courierId: string): Promise<void> {
    try {
      for (const delivery of (await this.#api.deliveriesOf(courierId)).items) this.#desk.ledger.put(delivery);
      this.#desk.listed.value++;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The map shows this now. The server is asked only when what it was asked for does not cover it. */
  show(viewport: Viewport): void {
    this.#shown = viewport;
    if (outgrown(this.#asked, viewport)) this.#askSoon();
  }

  /** Only these couriers are of interest; null is everybody. Clusters are counted by the server, so it has to know. */
  narrow(ids: readonly string[] | null): void {
    const only = ids !== null && ids.length > 0 && ids.length <= mostFiltered ? ids : null;
    if (only?.join() === this.#only?.join()) return;
    this.#only = only;
    this.#askSoon();
  }

  #askSoon(): void {
    if (this.#askTimer !== undefined) return;
    this.#askTimer = setTimeout(() => {
      this.#askTimer = undefined;
      this.#ask();
    }, askAtMostEvery);
  }

  #ask(): void {
    if (!this.#shown) return;
    const wanted = widened(this.#shown);
    const view: OpsView = { type: "view", ...wanted };
    if (this.#only) view.filter = { courier_ids: [...this.#only] };
    this.#asked = this.#socket.send(view) ? wanted : null;
  }

  #message(text: string): void {
    const frame = parseOpsFrame(text);
    if (!frame) return;
    this.#desk.meter.heard(performance.now());
    if (frame.type !== "bye") this.#desk.link.value = frame.live === false ? "delayed" : "live";
    if (frame.type === "frame") this.#apply(frame);
  }

  #apply(frame: OpsFrame): void {
    const onDuty = this.#desk.fleet.stats?.couriers_on_duty;
    const changes = this.#desk.fleet.apply(frame);
    const staffed = onDuty !== this.#desk.fleet.stats?.couriers_on_duty;
    for (const event of frame.events) {
      changes.listed = true;
      if (this.#desk.ledger.apply(event)) this.#want(event.delivery_id);
    }
    for (const { delivery_id: id } of frame.alerts) {
      if (id !== null && !this.#desk.ledger.get(id)) this.#want(id);
    }
    if (staffed || frame.events.length > 0 || changes.left) {
      this.#changed = Date.now();
      this.#rosterIn(this.#rosterSoon());
    }
    if (changes.listed) this.#desk.listed.value++;
    if (changes.moved) this.#desk.moved.value++;
  }

  async #readRoster(): Promise<void> {
    const asked = Date.now();
    const roster = await this.#api.couriers();
    this.#desk.fleet.setRoster(roster.items);
    this.#desk.loaded.value = true;
    this.#desk.ledger.forgetEnded(Date.now() - keepEnded, this.#desk.selection.value?.id ?? null);
    this.#rosterDue = 0;
    this.#rosterIn(this.#changed > asked - roster.ageMs ? this.#rosterSoon() : rosterEvery);
  }

  /** Of a city something is news every moment, and its roster takes a while to read: the larger it is, the later. */
  #rosterSoon(): number {
    return Math.min(rosterEvery, Math.max(rosterSoon, this.#desk.fleet.couriers.size * 5));
  }

  #rosterIn(wait: number): void {
    const due = Date.now() + wait;
    if (this.#rosterDue !== 0 && this.#rosterDue <= due) return;
    this.#rosterDue = due;
    clearTimeout(this.#rosterTimer);
    this.#rosterTimer = setTimeout(() => {
      this.#rosterDue = 0;
      this.#readRoster().then(
        () => this.#desk.listed.value++,
        (error: unknown) => {
          this.#failed(error);
          this.#rosterIn(rosterEvery);
        },
      );
    }, wait);
  }

  async #readDeliveries(): Promise<void> {
    const { ledger } = this.#desk;
    const seen = new Set<string>();
    let cursor: string | null = null;
    for (let page = 0; page < pages; page++) {
      const list = await this.#api.openDeliveries(cursor);
      for (const delivery of list.items) {
        ledger.put(delivery);
        seen.add(delivery.id);
      }
      cursor = list.next_cursor;
      if (cursor === null) break;
    }
    // One that was open and is not in the list any more ended while nobody told us; its last state is worth knowing.
    if (cursor === null) {
      for (const { id } of ledger.all()) if (ledger.isOpen(id) && !seen.has(id)) this.#want(id);
    }
  }

  #failed(error: unknown): void {
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
      this.#desk.link.value = "refused";
      this.#socket.stop();
      return;
    }
    if (!(error instanceof ApiError)) throw error;
    this.#desk.unread.value = error.message;
  }
}
