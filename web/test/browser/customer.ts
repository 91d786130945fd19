// What the customer page's tests share: a browser per file, the page of a delivery, and the rule that no test may end with a
// problem the page reported.
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, inject } from "vitest";
import type { Delivery, Status } from "../../src/protocol.ts";
import { along, Api } from "../api.ts";
import type { NewCourier } from "../api.ts";
import { launch, visit } from "../browser.ts";
import type { Visit, VisitOptions } from "../browser.ts";
import { poll } from "../harness.ts";

export interface Trip { courier: NewCourier; delivery: Delivery }

export class Desk {
  readonly api: Api;
  readonly base: string;
  #browser: Browser | null = null;
  #visits: Visit[] = [];

  constructor() {
    const demo = inject("demo");
    this.api = new Api(demo);
    this.base = demo.base_url;
    beforeAll(async () => {
      this.#browser = await launch();
    });
    afterEach(async () => {
      const visits = this.#visits;
      this.#visits = [];
      for (const one of visits) await one.close();
      expect(visits.flatMap((one) => one.problems)).toEqual([]);
    });
    afterAll(async () => {
      await this.#browser?.close();
    });
  }

  /** The page behind a delivery's link, on this server whatever its public address is. */
  async open(delivery: Delivery, options: VisitOptions = {}): Promise<Page> {
    return this.openPath(`/t/${delivery.tracking_token}`, options);
  }

  async openPath(path: string, options: VisitOptions = {}, browser = this.#browser!): Promise<Page> {
    const made = await visit(browser, new URL(path, this.base).href, options);
    this.#visits.push(made);
    return made.page;
  }

  /** A delivery brought to a status; when it is on the way, the courier has reported a position at `part` of the trip. */
  async trip(status: Status, options: { name?: string; part?: number; more?: Record<string, unknown> } = {}): Promise<Trip> {
    const { api } = this;
    const courier = await api.courier(options.name ?? "Sam");
    const delivery = await api.delivery({ window: windowAround(20), ...options.more });
    if (status === "created") return { courier, delivery };
    if (status === "cancelled") {
      await api.cancel(delivery, "sold out");
      return { courier, delivery };
    }
    await api.assign(delivery, courier);
    if (status === "assigned") return { courier, delivery };
    await api.position(courier, along(options.part ?? 0.35));
    if (status === "picked_up" || status === "en_route" || status === "arriving") await api.advance(courier, delivery, status);
    else await api.advance(courier, delivery, "arriving");
    if (status === "delivered") await api.status(courier, delivery, status, { proof: { left_at: "front desk", name: "N. Haddad" } });
    if (status === "failed" || status === "returned") {
      await api.status(courier, delivery, "failed", { reason: "nobody answered the door" });
    }
    if (status === "returned") await api.status(courier, delivery, "returned");
    // The page says where the courier is as of the newest fix, so the newest fix comes last.
    if (status === "en_route" || status === "arriving") await api.position(courier, along(options.part ?? 0.35));
    return { courier, delivery };
  }
}

/** A promised window whose middle is so many minutes from now. */
export function windowAround(minutes: number): { from: string; to: string } {
  const [from, to] = [minutes - 15, minutes + 15].map((m) => new Date(Date.now() + m * 60_000).toISOString()) as [string, string];
  return { from, to };
}

export interface Box { x: number; y: number; width: number; height: number }

export async function boxOf(page: Page, selector: string): Promise<Box> {
  const box = await page.locator(selector).boundingBox();
  if (box === null) throw new Error(`${selector} is not to be seen`);
  return box;
}

/** Watches the dot from now on: the answer says every place it was drawn at so far, in whole pixels. */
export async function watchDot(page: Page): Promise<() => Promise<number[]>> {
  const seen = await page.evaluateHandle(() => {
    const places: number[] = [];
    const look = () => {
      const dot = document.querySelector(".courier");
      const x = dot === null ? places.at(-1) : Math.round(dot.getBoundingClientRect().x);
      if (x !== undefined && x !== places.at(-1)) places.push(x);
      requestAnimationFrame(look);
    };
    look();
    return places;
  });
  return () => seen.jsonValue();
}

/** The map is drawn and the courier stands on it. */
export async function courierOnMap(page: Page): Promise<void> {
  await page.locator(".courier").waitFor({ state: "visible", timeout: 20_000 });
}

export async function mapIdle(page: Page): Promise<void> {
  await page.locator(".door").waitFor({ state: "visible", timeout: 20_000 });
  // Every tile has come and been drawn once; then labels fade in. A map that has stopped changing is one that can be looked at.
  await page.locator("#map:not([aria-busy])").waitFor({ timeout: 20_000 });
  let before = "";
  await poll("the map to settle", async () => {
    const now = (await page.screenshot({ animations: "disabled" })).toString("base64");
    const same = now === before;
    before = now;
    return same || null;
  }, 6_000).catch(() => null);
}
