// The page is for everyone: narrow and wide, large text, right to left, keyboard, no script, no WebGL, slow phones.
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { launch, shot, textOf } from "../browser.ts";
import { courierOnMap, Desk, mapIdle } from "./customer.ts";

const desk = new Desk();

async function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const out = [...document.querySelectorAll(".sheet *")].filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width > 0 && !element.classList.contains("spoken") && (box.right > width + 1 || box.left < -1);
    });
    const names = out.map((element) => `${element.tagName.toLowerCase()}#${element.id}.${element.className}`);
    return document.documentElement.scrollWidth > width ? ["the page scrolls sideways", ...names] : names;
  });
}

test.each([[320, 568], [360, 740], [600, 900], [899, 700], [900, 700], [1440, 900], [2560, 1440]])(
  "nothing is cut off at %i by %i", async (width, height) => {
    const { delivery } = await desk.trip("arriving");
    const page = await desk.open(delivery, { viewport: { width, height } });
    await courierOnMap(page);
    await page.locator(".timeline summary").click();
    expect(await overflow(page)).toEqual([]);
    await shot(page, `customer-width-${width}`);
  });

describe("large text", () => {
  test.each([[360, 740], [1280, 800]])("twice the size does not break it at %i by %i", async (width, height) => {
    const { delivery } = await desk.trip("delivered");
    const page = await desk.open(delivery, { viewport: { width, height } });
    await page.evaluate(() => {
      document.documentElement.style.fontSize = "200%";
    });
    await page.locator(".timeline summary").click();
    expect(await overflow(page)).toEqual([]);
    await shot(page, `customer-large-text-${width}`);
  });
});

test("right to left, the sheet mirrors and nothing is cut off", async () => {
  const { delivery } = await desk.trip("en_route");
  const page = await desk.open(delivery);
  await courierOnMap(page);
  await page.evaluate(() => {
    document.documentElement.dir = "rtl";
  });
  const [first, last] = [await page.locator("#steps li").first().boundingBox(), await page.locator("#steps li").last().boundingBox()];
  expect(first!.x).toBeGreaterThan(last!.x);
  expect(await overflow(page)).toEqual([]);
  await mapIdle(page);
  await shot(page, "customer-rtl");
});

test("in German for those who read German", async () => {
  const { delivery } = await desk.trip("en_route");
  const page = await desk.open(delivery, { locale: "de-DE" });
  await textOf(page, "#headline", /^(Ankunft|Sam ist unterwegs)/);
  await textOf(page, "#details", "Sam kommt als Nächstes zu Ihnen.");
  expect(await page.locator("html").getAttribute("lang")).toBe("de");
});

test("by keyboard alone: skip link, timeline, map, attribution", async () => {
  const { delivery } = await desk.trip("en_route");
  const page = await desk.open(delivery);
  await courierOnMap(page);
  const reached: string[] = [];
  for (let i = 0; i < 8; i++) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => {
      const at = document.activeElement!;
      return at.className.split(" ")[0] || at.tagName.toLowerCase();
    }));
  }
  expect(reached[0]).toBe("skip");
  expect(reached).toContain("summary");
  expect(reached).toContain("maplibregl-canvas");
  expect(reached).toContain("a");
});

test("the map says whose data it is, always", async () => {
  const { delivery } = await desk.trip("en_route");
  const page = await desk.open(delivery);
  await courierOnMap(page);
  const credit = page.locator(".maplibregl-ctrl-attrib a");
  await credit.waitFor({ state: "visible" });
  expect(await credit.textContent()).toContain("© OpenStreetMap");
});

test("without scripts it is still a useful page that reloads itself", async () => {
  const { delivery } = await desk.trip("en_route");
  const page = await desk.open(delivery, { javaScriptEnabled: false });
  const text = await page.locator("main").innerText();
  for (const wanted of ["Sam is coming to you next.", "1 Main Street", "On the way", "What happened so far"]) {
    expect(text).toContain(wanted);
  }
  expect(await page.content()).toContain('http-equiv="refresh" content="30"');
  await shot(page, "customer-no-script");
});

test("without WebGL it stays text, and says so", async () => {
  const browser = await launch("--disable-3d-apis");
  try {
    const { courier, delivery } = await desk.trip("en_route");
    const page = await desk.openPath(`/t/${delivery.tracking_token}`, {}, browser);
    await textOf(page, "#no-map", "The map cannot be shown on this device.");
    await desk.api.status(courier, delivery, "arriving");
    await textOf(page, "#details", /end of the road/);
    await page.locator("#map-frame").waitFor({ state: "hidden" });
    await shot(page, "customer-no-webgl");
  } finally {
    await browser.close();
  }
});

test("what is fetched before the map is at most 30 KB of script, gzipped", async () => {
  const { delivery } = await desk.trip("en_route");
  const html = await (await desk.api.get(`/t/${delivery.tracking_token}`)).text();
  const names = [...html.matchAll(/(?:src|href)="\/assets\/([^"]+\.js)"/g)].map((match) => match[1]!);
  expect(names.length).toBeGreaterThan(0);
  const dist = new URL("../../dist/assets/", import.meta.url);
  const bytes = names.reduce((sum, name) => sum + readFileSync(new URL(`${name}.gz`, dist)).length, 0);
  expect(bytes).toBeLessThanOrEqual(30 * 1024);
});

test("the text is there before the map's script has even been asked for", async () => {
  const { delivery } = await desk.trip("en_route");
  const page = await desk.open(delivery, {
    init: () => {
      const seen: string[] = [];
      Object.assign(globalThis, { seen });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) seen.push(`${entry.name} with ${document.getElementById("headline")?.textContent ?? "nothing"}`);
      }).observe({ type: "resource", buffered: true });
    },
  });
  await courierOnMap(page);
  const map = await page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen.filter((line) => line.includes("/assets/map-")));
  expect(map.length).toBeGreaterThan(0);
  for (const line of map) expect(line).toMatch(/with (Arriving|Sam)/);
});
