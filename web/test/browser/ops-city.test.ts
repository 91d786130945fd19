// The ops map over a whole city: ten thousand markers in view, all of them on the move, drawn by a software renderer.
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { launch, shot, visit } from "../browser.ts";
import { City } from "../city.ts";
import { poll } from "../harness.ts";
import { DESK } from "../ops.ts";
import { measure } from "../smoothness.ts";

const demo = inject("demo");
const centre = { lat: 37.7749, lon: -122.4194 };
let browser: Browser;

beforeAll(async () => { browser = await launch(); });
afterAll(async () => { await browser?.close(); });

/** How many couriers the page draws. */
const drawn = (page: Page) => page.locator(".numbers").textContent().then((text) => Number(/^(\d+) on shift/.exec(text ?? "")?.[1] ?? 0));

for (const count of [1_000, 10_000]) {
  test(`${count} couriers on the move are drawn steadily`, async () => {
    const city = new City(count, { ...centre, size: 0.06, reportEvery: 4_000 });
    const { page, problems, close } = await visit(browser, `${demo.ops_url}&map=${centre.lat},${centre.lon},13`, {
      viewport: DESK, prepare: (one) => city.take(one),
    });
    await poll("everybody to be told", async () => city.told && (await drawn(page)) === count);
    await page.waitForTimeout(3_000);
    const before = city.moved;
    const seen = await measure(page, 8_000);
    await shot(page, `ops-city-${count}`);
    console.log(`${count} markers: ${seen.painted.toFixed(1)} fps painted, ${seen.frames.toFixed(1)} fps of the page, main thread ${seen.taskMs.toFixed(1)} ms a frame `
      + `(${(seen.busy * 100).toFixed(0)} % busy), longest task ${seen.longest.toFixed(0)} ms, ${((city.moved - before) / 8).toFixed(0)} positions/s`);
    city.stop();
    await close();
    expect(problems).toEqual([]);
  }, 120_000);
}
