// Deliveries on the ops page: made, given away, taken back, ended; what can be undone can be undone, the rest asks once.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import type { Delivery } from "../../src/protocol.ts";
import { along, Api, DOOR, SHOP } from "../api.ts";
import type { NewCourier } from "../api.ts";
import { axe, launch, shot, textOf } from "../browser.ts";
import type { Visit } from "../browser.ts";
import { poll, startServer } from "../harness.ts";
import type { Server } from "../harness.ts";
import { openOps, pixelOf, row, selected } from "../ops.ts";

let server: Server;
let browser: Browser;
let api: Api;
let near: NewCourier;
let visit: Visit;
let page: Page;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(1), launch()]);
  api = new Api(server.demo);
  near = await api.courier("Neil Near");
  await api.position(near, along(0.02));
});
afterEach(async () => {
  expect(visit.problems).toEqual([]);
  await visit.close();
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

async function open(hash = `&map=${along(0.5).lat},${along(0.5).lon},13.5`): Promise<void> {
  visit = await openOps(browser, server.demo, { hash });
  page = visit.page;
  await page.locator(".row").first().waitFor();
}

async function read(id: string): Promise<Delivery> {
  const response = await fetch(new URL(`/v1/deliveries/${id}`, server.demo.base_url), {
    headers: { Authorization: `Bearer ${server.demo.ops_key}` },
  });
  return (await response.json()) as Delivery;
}

async function clickMap(place: { lat: number; lon: number }): Promise<void> {
  const { x, y } = await pixelOf(page, place);
  await page.mouse.click(x, y);
}

test("clicked on the map, given to the nearest, undone", async () => {
  await open();
  await page.locator(".maplibregl-canvas").waitFor();
  await page.keyboard.press("n");
  await textOf(page, ".map-hint", "Click the pickup on the map");
  await clickMap(SHOP);
  await textOf(page, ".map-hint", "Click the drop-off on the map");
  await clickMap(DOOR);
  await textOf(page, ".candidate", /Neil Near1 min.*bike · free/);
  expect(await axe(page)).toEqual([]);
  await shot(page, "ops-new-delivery");
  await page.locator(".candidate", { hasText: "Neil Near" }).click();
  await page.getByRole("button", { name: "Create and give to Neil Near" }).click();
  await textOf(page, ".notice", "Created and given to Neil Near.");
  const id = selected(page) ?? "";
  const made = await read(id);
  expect(made).toMatchObject({ status: "assigned", courier_id: near.id });
  expect(made.pickup.lat).toBeCloseTo(SHOP.lat, 3);
  expect(made.dropoff.lon).toBeCloseTo(DOOR.lon, 3);
  await shot(page, "ops-created");
  await page.getByRole("button", { name: "Undo" }).click();
  await textOf(page, ".sheet-head", "Cancelled");
  expect((await read(id)).status).toBe("cancelled");
});

test("typed: coordinates, words that become the address of the click, and what else is known", async () => {
  await open();
  await page.getByRole("button", { name: "New delivery" }).click();
  await page.getByLabel("Pickup", { exact: true }).fill(`${SHOP.lat}, ${SHOP.lon}`);
  await page.getByLabel("Drop-off", { exact: true }).fill("7 Nowhere Lane");
  await textOf(page, "#hint-dropoff", "Click it on the map");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await textOf(page, "#hint-dropoff", /Needed|Click it on the map/);
  await page.getByRole("button", { name: "Choose the drop-off on the map" }).click();
  await clickMap(DOOR);
  await page.getByText("Number, recipient, time, note").click();
  await page.getByLabel("Order number").fill("T-1");
  await page.getByLabel("Recipient").fill("Toni Typed");
  await page.getByLabel("Promised from").fill("18:00");
  await page.getByLabel("until").fill("18:30");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await textOf(page, "#sheet-title", "#T-1");
  expect(await read(selected(page) ?? "")).toMatchObject({
    external_id: "T-1", status: "created", pickup: { lat: SHOP.lat, lon: SHOP.lon }, dropoff: { address: "7 Nowhere Lane" },
    recipient: { name: "Toni Typed" },
  });
});

test("assigned, taken back, and given back by undo", async () => {
  const delivery = await api.delivery({ external_id: "U-1" });
  await open(`&delivery=${delivery.id}`);
  await page.locator(".candidate", { hasText: "Neil Near" }).click();
  await textOf(page, ".notice", "#U-1 is with Neil Near now.");
  await page.getByRole("button", { name: "Take back" }).click();
  await textOf(page, ".notice", "waits for a courier again");
  expect((await read(delivery.id)).status).toBe("created");
  await page.getByRole("button", { name: "Undo" }).click();
  await textOf(page, ".notice", "#U-1 is with Neil Near again.");
  expect((await read(delivery.id)).courier_id).toBe(near.id);
});

test("cancelling asks once, and no means no", async () => {
  const delivery = await api.delivery({ external_id: "C-1" });
  await open(`&delivery=${delivery.id}`);
  await page.getByRole("button", { name: "Cancel …" }).click();
  await page.getByRole("dialog", { name: "Cancel #C-1?" }).waitFor();
  expect(await axe(page)).toEqual([]);
  await shot(page, "ops-cancel");
  await page.getByRole("button", { name: "Keep it" }).click();
  await poll("the question to close", async () => (await page.getByRole("dialog").count()) === 0);
  expect((await read(delivery.id)).status).toBe("created");
  await page.getByRole("button", { name: "Cancel …" }).click();
  await page.getByLabel("Why").selectOption("Ordered twice");
  await page.getByRole("button", { name: "Cancel the delivery" }).click();
  await textOf(page, ".sheet-head", "Cancelled");
  await textOf(page, ".timeline", /Cancelled Ordered twice/);
});

test("the customer's page is one click away until its link is switched off", async () => {
  const delivery = await api.delivery({ external_id: "P-1" });
  await open(`&delivery=${delivery.id}`);
  const link = page.getByRole("link", { name: "Open", exact: true });
  expect(await link.getAttribute("href")).toBe(delivery.tracking_url);
  expect((await fetch(delivery.tracking_url)).status).toBe(200);
  await page.getByRole("button", { name: "Switch off …" }).click();
  await page.getByRole("button", { name: "Switch it off" }).click();
  await textOf(page, ".notice", "switched off");
  expect((await fetch(delivery.tracking_url)).status).toBe(404);
});

test("the order of a courier's stops can be changed", async () => {
  const courier = await api.courier("Otto Order");
  await api.position(courier, along(0.1));
  const first = await api.delivery({ courier_id: courier.id, dropoff: { ...DOOR, address: "1 First Street" } });
  await api.delivery({ courier_id: courier.id, dropoff: { ...DOOR, address: "2 Second Street" } });
  await open(`&courier=${courier.id}`);
  await textOf(page, ".stops", /1 First Street.*2 Second Street/);
  await page.getByRole("button", { name: "Go to 2 Second Street sooner" }).click();
  await textOf(page, ".stops", /2 Second Street.*1 First Street/);
  expect((await read(first.id)).stops_before).toBe(1);
});

test("what the server refuses is said, and nothing is lost", async () => {
  const delivery = await api.delivery({ external_id: "R-1" });
  await open(`&delivery=${delivery.id}`);
  await page.locator(".candidate").first().waitFor();
  await page.route("**/assign", (route) => route.abort());
  await page.locator(".candidate").first().click();
  await textOf(page, ".notice.is-wrong", "cannot be reached");
  // The browser logs the request that this test broke.
  visit.problems.length = 0;
  await row(page, "#R-1").waitFor();
});
