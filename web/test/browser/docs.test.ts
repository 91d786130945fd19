// The API's own page, read from /openapi.json.
import { expect, test } from "vitest";
import { axe, shot, textOf } from "../browser.ts";
import { Desk } from "./customer.ts";

const desk = new Desk();

test("it shows every operation of the document, and axe finds nothing", async () => {
  const page = await desk.openPath("/docs", { viewport: { width: 1280, height: 900 } });
  await textOf(page, "#title", "Hotfoot API");
  const api = (await (await desk.api.get("/openapi.json")).json()) as { paths: Record<string, Record<string, unknown>> };
  const methods = new Set(["get", "post", "put", "patch", "delete"]);
  const count = Object.values(api.paths).flatMap((item) => Object.keys(item)).filter((key) => methods.has(key)).length;
  await page.locator(".operation").first().waitFor();
  expect(await page.locator(".operation").count()).toBe(count);
  await shot(page, "docs");
  expect(await axe(page)).toEqual([]);
});

test("find narrows the list, and a link leads to the operation", async () => {
  const page = await desk.openPath("/docs", { viewport: { width: 1280, height: 900 } });
  await page.locator("#find").fill("courier/positions");
  const link = page.locator("#index a");
  expect(await link.count()).toBe(1);
  await link.click();
  await textOf(page, ".operation:target h3", "/v1/courier/positions");
});

test("on a phone and in the dark nothing is cut off, and axe finds nothing", async () => {
  const page = await desk.openPath("/docs", { viewport: { width: 360, height: 740 }, colorScheme: "dark" });
  await page.locator(".operation").first().waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  expect(await axe(page)).toEqual([]);
});
