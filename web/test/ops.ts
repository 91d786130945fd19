// The ops page as tests use it: opened with the demo's key, its rows, and where on the screen a place of the map is.
import type { Browser, Page } from "playwright-core";
import { visit } from "./browser.ts";
import type { Visit, VisitOptions } from "./browser.ts";
import type { Demo } from "./harness.ts";
import { poll } from "./harness.ts";

export const DESK = { width: 1280, height: 800 };

/** Less motion: a software renderer has enough to do without the gliding. */
export async function openOps(browser: Browser, demo: Demo, options: VisitOptions & { hash?: string } = {}): Promise<Visit> {
  const { hash = "", ...more } = options;
  const seen = await visit(browser, `${demo.ops_url}${hash}`, { viewport: DESK, reducedMotion: "reduce", ...more });
  await live(seen.page);
  return seen;
}

export async function live(page: Page): Promise<void> {
  await poll("the page to be live", async () => (await page.locator(".pulse").textContent())?.startsWith("live "));
}

export function row(page: Page, name: string) {
  return page.locator(".row").filter({ has: page.locator(".row-title", { hasText: name }) });
}

/** The map is ready when its view stands in the address bar. */
export async function mapView(page: Page): Promise<{ lat: number; lon: number; zoom: number }> {
  return poll("the view in the address bar", () => {
    const [lat, lon, zoom] = (/map=([^&]+)/.exec(page.url())?.[1] ?? "").split(",").map(Number);
    return lat !== undefined && lon !== undefined && zoom !== undefined ? { lat, lon, zoom } : null;
  });
}

/** Where a place is drawn now, in pixels of the page: Mercator, as the map does it. */
export async function pixelOf(page: Page, place: { lat: number; lon: number }): Promise<{ x: number; y: number }> {
  const view = await mapView(page);
  const box = await page.locator(".map").boundingBox();
  if (!box) throw new Error("no map");
  const world = 512 * 2 ** view.zoom;
  const x = (lon: number) => ((lon + 180) / 360) * world;
  const y = (lat: number) => ((1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2) * world;
  return {
    x: box.x + box.width / 2 + x(place.lon) - x(view.lon),
    y: box.y + box.height / 2 + y(place.lat) - y(view.lat),
  };
}

/** The ids in the address bar, as a link to a colleague would carry them. */
export function selected(page: Page): string | null {
  return /(?:courier|delivery)=([^&]+)/.exec(page.url())?.[1] ?? null;
}
