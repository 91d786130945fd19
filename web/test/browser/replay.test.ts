// The recorded San Francisco cabs, played through the public API by `hotfoot replay`, as customers and dispatchers see them.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import { launch, shot, textOf, visit } from "../browser.ts";
import { BINARY, poll, startServer } from "../harness.ts";
import { openOps, row } from "../ops.ts";
import { courierOnMap, watchDot } from "./customer.ts";

const data = process.env.HOTFOOT_TESTDATA;
const CABS = 15;
/** Three recorded hours in three minutes: slow enough for the page to glide, fast enough for a test. */
const SPEED = "60";

test.skipIf(!data)("recorded cabs move on a customer's page and on the live map", { timeout: 120_000 }, async () => {
  const server = await startServer(1);
  const browser = await launch();
  const file = join(data ?? "", "traces/sf-cabs/couriers15-2008-06-04T17-20PDT.csv");
  const replay = spawn(BINARY, ["replay", file, "--server", server.demo.base_url, "--key", server.demo.merchant_key, "--speed", SPEED]);
  try {
    const cabs = await announced(replay.stdout);
    expect(cabs).toHaveLength(CABS);
    await onTheMap(browser, server.demo, cabs.map((cab) => cab.name));
    const page = await visit(browser, cabs[0]!.url);
    await moves(page.page);
    await shot(page.page, "replay-customer");
    expect(page.problems).toEqual([]);
  } finally {
    replay.kill("SIGINT");
    await browser.close();
    await server.stop();
  }
});

/** The lines that `hotfoot replay` prints: a cab, and its customer's link. */
async function announced(out: NodeJS.ReadableStream): Promise<{ name: string; url: string }[]> {
  let text = "";
  out.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return poll("the cabs' links", () => {
    const found = [...text.matchAll(/^ {2}(\S+) +(http\S+)$/gm)].map(([, name, url]) => ({ name: name!, url: url! }));
    return found.length >= CABS ? found : null;
  }, 30_000);
}

async function onTheMap(browser: Browser, demo: Parameters<typeof openOps>[1], names: string[]): Promise<void> {
  const ops = await openOps(browser, demo);
  // The list holds only the rows in sight; the bar counts them all, and the demo's own courier.
  await textOf(ops.page, ".bar", `${CABS + 1} on shift`);
  await row(ops.page, names[0]!).first().click();
  await textOf(ops.page, ".sheet", /Fix \d+ s(ec)? ago/);
  await shot(ops.page, "replay-ops");
  expect(ops.problems).toEqual([]);
  await ops.close();
}

async function moves(page: Page): Promise<void> {
  await courierOnMap(page);
  const drawn = await watchDot(page);
  await poll("the marker to move", async () => (await drawn()).length > 1, 30_000);
}
