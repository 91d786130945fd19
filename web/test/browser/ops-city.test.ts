// The ops map over a whole city: ten thousand markers in view, all of them on the move, drawn by a software renderer.
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { Browser } from "playwright-core";
import { launch, shot, visit } from "../browser.ts";
import type { Visit } from "../browser.ts";
import { City } from "../city.ts";
import { poll, startServer } from "../harness.ts";
import { DESK, mapView, openOps, pixelOf, selected } from "../ops.ts";
import { measure } from "../smoothness.ts";
import type { Smoothness } from "../smoothness.ts";

const demo = inject("demo");
const centre = { lat: 37.7749, lon: -122.4194 };
let browser: Browser;

beforeAll(async () => { browser = await launch(); });
afterAll(async () => { await browser?.close(); });

async function open(city: City): Promise<Visit> {
  const seen = await visit(browser, `${demo.ops_url}&map=${centre.lat},${centre.lon},13`, {
    viewport: DESK, prepare: (page) => city.take(page),
  });
  await mapView(seen.page);
  await poll("everybody to be told", () => city.told, 60_000);
  return seen;
}

/** Watches couriers ride for some seconds. */
async function ride(count: number): Promise<Smoothness> {
  const city = new City(count, { ...centre, size: 0.06, reportEvery: 4_000 });
  const { page, problems, close } = await open(city);
  await page.waitForTimeout(2_000); // for the basemap
  const moved = city.moved;
  const seen = await measure(page, 8_000);
  console.log(`${count} markers: ${seen.painted.toFixed(1)} fps, scripts ${seen.scriptMs.toFixed(1)} ms a frame, main thread ${seen.mainMs.toFixed(0)} ms a frame `
    + `with the wait for the renderer, longest task ${seen.longest.toFixed(0)} ms, ${((city.moved - moved) / 8).toFixed(0)} positions/s`);
  city.stop();
  await close();
  expect(problems).toEqual([]);
  return seen;
}

test("ten thousand couriers on the move are drawn about as often as ten", async () => {
  const few = await ride(10);
  const crowd = await ride(10_000);
  // Of a busy machine's frames nothing can be said but how many of them thousands of markers cost.
  expect(crowd.painted).toBeGreaterThan(few.painted / 8);
  expect(crowd.scriptMs).toBeLessThan(250);
}, 180_000);

test("a courier in the crowd is found under the pointer and stands out when chosen", async () => {
  const city = new City(2_000, { ...centre, size: 0.06, reportEvery: 4_000 });
  city.rest();
  const { page, problems, close } = await open(city);
  const courier = city.courier(1_020);
  const { x, y } = await pixelOf(page, courier);
  await poll("the courier under the pointer", async () => {
    await page.mouse.move(x + 1, y);
    return (await page.locator(".map canvas").evaluate((canvas) => (canvas as HTMLElement).style.cursor)) === "pointer";
  });
  await page.mouse.click(x + 1, y);
  await poll("the courier in the address", () => selected(page) === courier.id);
  await shot(page, "ops-city");
  city.stop();
  await close();
  expect(problems).toEqual([]);
}, 120_000);

test("four hundred of a real server ride on", async () => {
  const server = await startServer(400);
  const { page, problems, close } = await openOps(browser, server.demo, { reducedMotion: "no-preference" });
  try {
    await poll("all of them", async () => /^4\d\d on shift/.test((await page.locator(".numbers").textContent()) ?? ""));
    const seen = await measure(page, 5_000);
    console.log(`a real server's 400: ${seen.painted.toFixed(1)} fps, scripts ${seen.scriptMs.toFixed(1)} ms a frame`);
    expect(seen.painted).toBeGreaterThan(0.2);
    expect(problems).toEqual([]);
  } finally {
    await close();
    await server.stop();
  }
}, 180_000);
