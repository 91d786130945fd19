// A city for the ops page: thousands of couriers whose frames the test writes, shaped as the golden frame that the server's
// own tests hold against what it sends. A real server with as many would fight the browser for the same two cores.
import { readFileSync } from "node:fs";
import type { Page, WebSocketRoute } from "playwright-core";

interface GoldenCourier { id: string; lat: number; lon: number; heading_deg?: number; recorded_at: string; name?: string; vehicle?: string; stops?: number }
interface Golden { couriers: GoldenCourier[]; stats: object }

const golden = JSON.parse(readFileSync(new URL("frames/frame.json", import.meta.url), "utf8")) as Golden;

/** What the server sends at most: couriers in one frame, and frames a second. */
const inFrame = 1500;
const frameEvery = 250;

const json = (body: unknown) => ({ contentType: "application/json", body: JSON.stringify(body) });

export class City {
  readonly #couriers: Required<GoldenCourier>[];
  readonly #reportEvery: number;
  #socket: WebSocketRoute | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #owed: number[] = [];
  #known = new Set<number>();
  #full = false;
  #resting = false;
  #n = 0;
  #next = 0;
  /** Positions sent. */
  moved = 0;

  /** Couriers spread over a square around a place, `size` degrees wide, each reporting every `reportEvery` milliseconds. */
  constructor(count: number, { lat, lon, size, reportEvery }: { lat: number; lon: number; size: number; reportEvery: number }) {
    this.#reportEvery = reportEvery;
    const [sample] = golden.couriers as [Required<GoldenCourier>];
    const across = Math.ceil(Math.sqrt(count));
    this.#couriers = Array.from({ length: count }, (_, i) => ({
      ...sample,
      id: `019cbb0e-5a3c-7d10-8f4b-${i.toString(16).padStart(12, "0")}`,
      name: `Courier ${i}`,
      stops: i % 3,
      lat: lat + ((Math.floor(i / across) + 0.5) / across - 0.5) * size,
      lon: lon + (((i % across) + 0.5) / across - 0.5) * size * 1.6,
    }));
  }

  /** Stands in for the server's roster, its deliveries and its socket. */
  async take(page: Page): Promise<void> {
    await page.route(/\/v1\/ops\/couriers/, (route) => route.fulfill(json({
      next_cursor: null,
      items: this.#couriers.map(({ id, name, vehicle, stops }) => ({
        id, name, vehicle, stops, phone: null, on_duty: true, position: null, delivery_ids: [],
      })),
    })));
    await page.route(/\/v1\/deliveries/, (route) => route.fulfill(json({ items: [], next_cursor: null })));
    await page.routeWebSocket(/\/v1\/ops\/live/, (socket) => {
      this.#socket = socket;
      socket.onMessage(() => {
        this.#full = true;
        this.#known.clear();
        this.#owed = this.#couriers.map((_, i) => i);
      });
      this.#timer = setInterval(() => this.#frame(), frameEvery);
      socket.onClose(() => this.stop());
    });
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Whether the page was sent everybody since it last asked. */
  get told(): boolean {
    return this.#known.size === this.#couriers.length;
  }

  #frame(): void {
    if (!this.#resting) this.#move();
    if (this.#owed.length === 0) return;
    const now = new Date().toISOString();
    const sent = this.#owed.splice(0, inFrame);
    this.moved += sent.length;
    this.#socket?.send(JSON.stringify({
      type: "frame", n: ++this.#n, at: now, ...(this.#full ? { full: true, clusters: [] } : {}),
      couriers: sent.map((i) => this.#said(i, now)),
      gone: [], events: [], alerts: [],
      stats: { couriers_on_duty: this.#couriers.length, active: 0, late: 0, silent: 0, unassigned: 0 },
    }));
    this.#full = false;
  }

  /** A courier as a frame has it: described the first time. */
  #said(i: number, now: string): GoldenCourier {
    const { name, vehicle, stops, ...fix } = this.#couriers[i]!;
    const known = this.#known.has(i);
    this.#known.add(i);
    return Object.assign(fix, { recorded_at: now }, known ? {} : { name, vehicle, stops });
  }

  /** Everybody stops where they are. */
  rest(): void {
    this.#resting = true;
  }

  /** Where a courier is, and who it is. */
  courier(i: number): { id: string; lat: number; lon: number } {
    return this.#couriers[i]!;
  }

  /** A quarter of a second's worth of them ride on. */
  #move(): void {
    const waiting = new Set(this.#owed);
    for (let left = Math.round(this.#couriers.length * frameEvery / this.#reportEvery); left > 0; left--) {
      const i = this.#next;
      this.#next = (i + 1) % this.#couriers.length;
      const courier = this.#couriers[i]!;
      courier.lat += (Math.random() - 0.5) * 0.0006;
      courier.lon += (Math.random() - 0.5) * 0.0006;
      courier.heading_deg = Math.round(Math.random() * 360);
      if (!waiting.has(i)) this.#owed.push(i);
    }
  }
}
