// The ops live map: what needs a person comes first, list and map are one, and the keys do what they say.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { along, Api } from "../api.ts";
import type { NewCourier } from "../api.ts";
import { axe, documentationImage, launch, shot, textOf } from "../browser.ts";
import type { Visit } from "../browser.ts";
import { poll, startServer } from "../harness.ts";
import type { Server } from "../harness.ts";
import { mapView, openOps, pixelOf, row, selected } from "../ops.ts";

let server: Server;
let browser: Browser;
let api: Api;
let late: NewCourier;
let silent: NewCourier;
let visits: Visit[] = [];

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const titles = (page: Page) => page.locator(".row-title").allTextContents();
const troubles = async (page: Page) => {
  const classes = await page.locator(".row").evaluateAll((rows) => rows.map((element) => element.className));
  return classes.map((name) => ["is-late", "is-silent", "is-waiting", "row"].findIndex((kind) => name.includes(kind)));
};

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
  api = new Api(server.demo);
  late = await api.courier("Lara Late", "scooter");
  await api.position(late, along(0.3));
  const delivery = await api.delivery({ external_id: "LATE-1", window: { from: minutesAgo(40), to: minutesAgo(8) }, courier_id: late.id });
  await api.advance(late, delivery, "en_route");
  silent = await api.courier("Silas Silent");
  await api.delivery({ external_id: "S-1", courier_id: silent.id });
  await api.delivery({ external_id: "W-1" });
});
afterEach(async () => {
  for (const { problems, close } of visits) {
    expect(problems).toEqual([]);
    await close();
  }
  visits = [];
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

async function open(options: Parameters<typeof openOps>[2] = {}): Promise<Page> {
  const visit = await openOps(browser, server.demo, options);
  visits.push(visit);
  return visit.page;
}

async function reasonOf(page: Page, name: string, wanted: RegExp): Promise<void> {
  await poll(`${name} to say ${wanted}`, async () => wanted.test((await row(page, name).locator(".row-reason").textContent()) ?? ""));
}

describe("attention", () => {
  test("late ones come first, then silent ones, then deliveries without a courier, each with the reason", async () => {
    const page = await open();
    await reasonOf(page, "Lara Late", /^Late \d+ min · 1 Main Street/);
    await reasonOf(page, "Silas Silent", /^Silent .* · nothing heard on this shift$/);
    await reasonOf(page, "#W-1", /^No courier for .* · 1 Main Street/);
    await poll("trouble to come first", async () => {
      const kinds = await troubles(page);
      return kinds[0] === 0 && kinds.join() === kinds.toSorted().join();
    });
    await textOf(page, ".numbers", /[1-9]\d* late.*[1-9]\d* silent.*[1-9]\d* waiting/);
    expect(await axe(page)).toEqual([]);
    await shot(page, "ops-attention");
  });

  test("a filter shows its kind alone and stays in the address", async () => {
    const page = await open();
    await row(page, "Lara Late").waitFor();
    await page.getByRole("button", { name: /^Silent/ }).click();
    await poll("silent ones alone", async () => (await troubles(page)).every((kind) => kind === 1));
    await row(page, "Silas Silent").waitFor();
    await poll("the filter in the address", () => page.url().includes("filter=silent"));
    await page.keyboard.press("Escape");
    await poll("all rows again", async () => (await page.locator(".row").count()) > 3);
  });

  test("an alert that is over leaves the top by itself", async () => {
    const page = await open();
    const courier = await api.courier("Rita Return");
    await api.delivery({ courier_id: courier.id });
    await row(page, "Rita Return").and(page.locator(".is-silent")).waitFor();
    await api.position(courier, along(0.1));
    await poll("her to be heard again", async () => (await row(page, "Rita Return").and(page.locator(".is-silent")).count()) === 0);
  });
});

describe("list and map are one", () => {
  test("the key leaves the address bar, and the first look is at everybody", async () => {
    const page = await open();
    await mapView(page);
    expect(page.url()).not.toContain("key=");
    expect(page.url()).not.toContain(server.demo.ops_key);
    const { x, y } = await pixelOf(page, along(0.3));
    expect(x).toBeGreaterThan(320);
    expect(y).toBeGreaterThan(50);
  });

  test("a click on a marker selects its row; a click on a row shows its courier", async () => {
    const page = await open({ hash: `&map=${along(0.3).lat},${along(0.3).lon},16` });
    await row(page, "Lara Late").waitFor();
    await poll("the marker to answer a click", async () => {
      await page.mouse.click(...Object.values(await pixelOf(page, along(0.3))) as [number, number]);
      return selected(page) === late.id;
    });
    expect(await row(page, "Lara Late").getAttribute("aria-selected")).toBe("true");
    await textOf(page, "#sheet-title", "Lara Late");
    await textOf(page, ".sheet .trouble", /Late \d+ min/);
    await textOf(page, ".stop-facts", "On the way");
    await textOf(page, ".timeline", /On the way.*Picked up.*Assigned.*Placed/);
    expect(await axe(page)).toEqual([]);
    await shot(page, "ops-courier");
  });

  test("the pointer on a marker marks its row", async () => {
    const page = await open({ hash: `&map=${along(0.3).lat},${along(0.3).lon},16` });
    const { x, y } = await pixelOf(page, along(0.3));
    await poll("the row to be marked", async () => {
      await page.mouse.move(x + Math.random(), y);
      return (await row(page, "Lara Late").getAttribute("class"))?.includes("is-hovered");
    });
  });

  test("a link carries selection and view to a colleague; Back closes what was opened", async () => {
    const page = await open();
    const before = await mapView(page);
    await row(page, "Lara Late").click();
    await poll("the selection in the address", () => selected(page) === late.id);
    const link = page.url();
    const colleague = await open({ hash: `&${link.split("#")[1]}` });
    await textOf(colleague, "#sheet-title", "Lara Late");
    expect((await mapView(colleague)).zoom).toBeCloseTo((await mapView(page)).zoom, 1);
    expect(before.zoom).toBeGreaterThan(0);
    await page.goBack();
    await poll("the sheet to close", async () => (await page.locator(".sheet").count()) === 0);
  });

  test("what happens to a delivery shows without asking", async () => {
    const page = await open();
    const courier = await api.courier("Nora Now");
    await api.position(courier, along(0.2));
    const delivery = await api.delivery({ external_id: "N-1", courier_id: courier.id });
    await row(page, "Nora Now").click();
    await page.locator(".stop").click();
    await textOf(page, ".sheet-head", "Assigned");
    await api.status(courier, delivery, "picked_up");
    await textOf(page, ".sheet-head", "Picked up");
    await textOf(page, ".timeline", /^.{0,12}Picked up/);
    await shot(page, "ops-delivery");
    expect(await axe(page)).toEqual([]);
  });

  test("following keeps the courier in the middle until a hand moves the map", async () => {
    const page = await open();
    const courier = await api.courier("Fay Follow");
    // Long enough ago to have come to the next place since: who is faster than any courier is not believed.
    await api.position(courier, along(0.4), 10_000);
    await row(page, "Fay Follow").click();
    await textOf(page, ".sheet-body", /Fix \d+ s ago/);
    await page.keyboard.press("f");
    await api.position(courier, along(0.5));
    await poll("the map to follow", async () => Math.abs((await mapView(page)).lat - along(0.5).lat) < 2e-4);
    await page.mouse.move(700, 600);
    await page.mouse.down();
    await page.mouse.move(760, 620, { steps: 4 });
    await page.mouse.up();
    await page.getByRole("button", { name: "Follow f", exact: true, pressed: false }).waitFor();
  });
});

describe("keys", () => {
  test("search, arrows, Enter, Escape", async () => {
    const page = await open();
    await row(page, "Lara Late").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("silas");
    await poll("one row", async () => (await page.locator(".row").count()) === 1);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await textOf(page, "#sheet-title", "Silas Silent");
    await page.keyboard.press("Escape");
    await poll("the sheet to close", async () => (await page.locator(".sheet").count()) === 0);
    await page.keyboard.press("Escape");
    await poll("the search to be cleared", async () => (await page.locator("#search").inputValue()) === "");
  });

  test("an order number leads to the order", async () => {
    const page = await open();
    await page.locator("#search").fill("late-1");
    await poll("courier and delivery", async () => (await titles(page)).join() === "Lara Late,#LATE-1");
  });

  test("? shows the keys, and Escape closes them", async () => {
    const page = await open();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    expect(await axe(page)).toEqual([]);
    await shot(page, "ops-keys");
    await page.keyboard.press("Escape");
    await poll("it to close", async () => (await page.getByRole("dialog").count()) === 0);
  });
});

test("a large fleet is a short page: only the rows in sight exist", async () => {
  const page = await open();
  await Promise.all(Array.from({ length: 80 }, (_, index) => api.courier(`Many ${index}`)));
  await page.reload();
  await textOf(page, ".chip.is-all .count", /^([89]\d|1\d\d)$/);
  expect(await page.locator(".row").count()).toBeLessThan(30);
  await page.locator("#list").focus();
  for (let step = 0; step < 40; step++) await page.keyboard.press("ArrowDown");
  await poll("the marked row to be in sight", async () => {
    const marked = await page.locator("#list").getAttribute("aria-activedescendant");
    return marked !== null && (await page.locator(".row.is-marked").getAttribute("id")) === marked;
  });
});

test.runIf(process.env.UPDATE_IMAGES === "1")("the picture in the README", async () => {
  const busy = await startServer(25);
  const town = new Api(busy.demo);
  const lara = await town.courier("Lara Moss", "scooter");
  await town.position(lara, { ...along(0.55), battery: 0.64 });
  const overdue = await town.delivery({ courier_id: lara.id, window: { from: minutesAgo(36), to: minutesAgo(6) } });
  await town.delivery({ courier_id: lara.id, dropoff: { ...along(0.75), address: "88 Kearny Street" } });
  await town.advance(lara, overdue, "en_route");
  const silas = await town.courier("Silas Reed");
  await town.delivery({ courier_id: silas.id });
  const { page, close } = await openOps(browser, busy.demo);
  try {
    await poll("a town with something in it", async () => (await page.locator(".row").count()) > 10);
    await row(page, "Silas Reed").and(page.locator(".is-silent")).waitFor();
    await row(page, "Lara Moss").click();
    await page.locator(".timeline li").first().waitFor();
    await poll("couriers under way", async () => (await page.locator(".row", { hasText: "On the way" }).count()) > 3);
    await documentationImage(page, "ops");
  } finally {
    await close();
    await busy.stop();
  }
});
