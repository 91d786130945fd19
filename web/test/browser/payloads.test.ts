// Texts of strangers stay texts, on the customer's page and on the live map: nothing they hold is run, asked for or takes the page apart.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { along, Api, DOOR, SHOP } from "../api.ts";
import { launch, visit } from "../browser.ts";
import type { Visit } from "../browser.ts";
import { poll, startServer } from "../harness.ts";
import type { Server } from "../harness.ts";
import { openOps } from "../ops.ts";
import { PAYLOADS } from "../payloads.ts";

let server: Server;
let browser: Browser;
let visits: Visit[] = [];
let dialogs: string[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(1), launch()]);
}, 120_000);
afterEach(async () => {
  for (const { page, problems, close } of visits) {
    expect(problems).toEqual([]);
    expect(await ran(page)).toBe(0);
    await close();
  }
  expect(dialogs).toEqual([]);
  visits = [];
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

/** A canary that every payload calls. */
function canary(): void {
  const here = globalThis as unknown as { ran: () => void; count: number };
  here.count = 0;
  here.ran = () => here.count++;
}

const ran = (page: Page) => page.evaluate(() => (globalThis as unknown as { count: number }).count);

async function watched(page: Page): Promise<void> {
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
}

/** Elements that the pages themselves never have, and handlers that nothing of theirs would set. */
const strange = (page: Page) =>
  page.evaluate(() => [...document.querySelectorAll("body *")].filter((element) =>
    element.matches("iframe, object, embed, base, form, marquee, video, math, template, xmp, body style, img[src='x'], script:not([type='application/json'])")
    || element.getAttributeNames().some((name) => name.startsWith("on"))).map((element) => element.outerHTML.slice(0, 200)));

/** A payload in every text that a courier and a shop can set. */
async function delivery(api: Api, text: string) {
  const courier = await api.courier(text);
  const made = await api.delivery({
    pickup: { ...SHOP, name: text, address: text }, dropoff: { ...DOOR, name: text, address: text },
    recipient: { name: text, phone: text.slice(0, 40) }, note: text, external_id: text, courier_id: courier.id,
  });
  await api.position(courier, along(0.4));
  return { courier, made };
}

test("the canary sings when it is called, or all of this would prove nothing", async () => {
  const page = await browser.newPage();
  await page.addInitScript(canary);
  await page.goto("data:text/html,<img src=x onerror=ran()>");
  await poll("the payload to run", async () => (await ran(page)) > 0);
  await page.close();
});

/** As many payloads, from the first of them on, as a field holds; those that it takes are gone. */
function fill(left: string[], most: number): string {
  let text = left.shift() ?? PAYLOADS[0]!;
  while (left[0] !== undefined && text.length + 1 + left[0].length <= most) text += ` ${left.shift()}`;
  return text;
}

test("on the live map", async () => {
  const api = new Api(server.demo);
  const left = [...PAYLOADS];
  const texts: string[] = [];
  while (left.length > 0) texts.push(fill(left, 100));
  for (const text of texts) await delivery(api, text);
  const seen = await openOps(browser, server.demo, { init: canary, prepare: watched });
  visits.push(seen);
  const { page } = seen;
  const rows = page.locator(".row");
  await rows.first().waitFor();
  // The list draws what is in sight; scrolled and opened row by row it shows everybody.
  const names = new Set<string>();
  await poll("every name to have been drawn", async () => {
    for (const name of await page.locator(".row-title").allTextContents()) names.add(name);
    await rows.last().scrollIntoViewIfNeeded();
    await page.mouse.wheel(0, 300);
    return texts.every((text) => names.has(text));
  }, 60_000);
  for (let at = 0; at < 5; at++) {
    await rows.nth(at).click();
    await page.locator("#sheet-title").waitFor();
    await page.locator(".timeline").first().waitFor();
  }
  expect(await strange(page)).toEqual([]);
}, 240_000);

test("on the customer's page", async () => {
  const { demo } = server;
  const api = new Api(demo);
  const left = [...PAYLOADS];
  for (let pages = 0; left.length > 0; pages++) {
    const courier = await api.courier(fill(left, 200));
    const made = await api.delivery({
      pickup: { ...SHOP, name: fill(left, 200), address: fill(left, 500) }, dropoff: { ...DOOR, name: fill(left, 200), address: fill(left, 500) },
      courier_id: courier.id,
    });
    await api.position(courier, along(0.4));
    await api.advance(courier, made, "arriving");
    if (pages % 2 === 0) await api.status(courier, made, "failed", { reason: fill(left, 500) });
    else await api.status(courier, made, "delivered", { proof: { left_at: fill(left, 200), name: fill(left, 200) } });
    const seen = await visit(browser, new URL(`/t/${made.tracking_token}`, demo.base_url).href, { init: canary, prepare: watched });
    await seen.page.locator("#headline").waitFor();
    await seen.page.locator("#timeline li").first().waitFor({ state: "attached" });
    expect(await strange(seen.page)).toEqual([]);
    expect(await ran(seen.page)).toBe(0);
    expect(seen.problems).toEqual([]);
    await seen.close();
  }
}, 240_000);
