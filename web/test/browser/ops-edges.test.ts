// The ops page at its edges: no key, nobody there, no socket, no WebGL, every width, large text, the dark.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Browser, Page } from "playwright-core";
import type { Delivery, List } from "../../src/protocol.ts";
import { along, Api } from "../api.ts";
import type { NewCourier } from "../api.ts";
import { axe, launch, shot, textOf, visit as goTo } from "../browser.ts";
import type { Visit } from "../browser.ts";
import { poll, startServer } from "../harness.ts";
import type { Server } from "../harness.ts";
import { DESK, live, mapView, openOps, row } from "../ops.ts";

let server: Server;
let browser: Browser;
let visit: Visit;
let wendy: NewCourier;

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(1), launch()]);
  const api = new Api(server.demo);
  wendy = await api.courier("Wendy Width");
  await api.position(wendy, along(0.3));
  await api.delivery({ courier_id: wendy.id, external_id: "a rather long order number 0123456789" });
});
afterEach(async () => {
  expect(visit.problems).toEqual([]);
  await visit.close();
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

const sideways = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

test("without a key the page asks for one, and takes it", async () => {
  visit = await goTo(browser, new URL("/ops", server.demo.base_url).href, { viewport: DESK, expect: /401/ });
  await visit.page.getByLabel("Ops key").waitFor();
  expect(await axe(visit.page)).toEqual([]);
  await shot(visit.page, "ops-signin");
  await visit.page.getByLabel("Ops key").fill(server.demo.ops_key);
  await visit.page.getByRole("button", { name: "Show the map" }).click();
  await live(visit.page);
  expect(visit.page.url()).not.toContain(server.demo.ops_key);
});

test("a session is all that the browser keeps, scripts do not see it, and it ends when one signs out", async () => {
  visit = await openOps(browser, server.demo, { expect: /401/ }); // of nobody, who comes at the end
  const kept = await visit.page.evaluate(() => [document.cookie, JSON.stringify(sessionStorage), JSON.stringify(localStorage)].join(" "));
  expect(kept).not.toContain("hf_");
  expect(kept).not.toContain("session");
  const cookies = await visit.page.context().cookies();
  expect(cookies).toMatchObject([{ name: "hotfoot_session", httpOnly: true, sameSite: "Strict" }]);
  expect(cookies[0]?.value).not.toContain(server.demo.ops_key);
  await visit.page.reload();
  await live(visit.page);
  await visit.page.getByRole("button", { name: "Sign out" }).click();
  await visit.page.getByLabel("Ops key").waitFor();
  expect(await visit.page.context().cookies()).toEqual([]);
});

test("a key that is not valid is refused in words", async () => {
  visit = await goTo(browser, `${new URL("/ops", server.demo.base_url).href}#key=wrong`, { viewport: DESK, expect: /401/ });
  await textOf(visit.page, "[role=alert]", "This key is not valid");
});

test("where there is a provider one may sign in with it, and whoever comes back without a session is told what to do", async () => {
  visit = await goTo(browser, `${new URL("/ops", server.demo.base_url).href}?signin=refused`, {
    viewport: DESK, expect: /401/,
    prepare: (page) => page.route("**/ops?signin=refused", async (route) => {
      const response = await route.fetch();
      const html = (await response.text()).replace('name="sign-in" content=""', 'name="sign-in" content="Kitchen &lt;b&gt; &amp; Co"');
      await route.fulfill({ response, body: html });
    }),
  });
  await textOf(visit.page, "[role=alert]", "Kitchen <b> & Co knows you, but you are not among those who may see the live map.");
  const link = visit.page.getByRole("link", { name: "Sign in with Kitchen <b> & Co" });
  expect(await link.getAttribute("href")).toBe("/v1/session/oidc");
  expect(new URL(visit.page.url()).search).toBe("");
  await visit.page.getByLabel("Ops key").waitFor();
  expect(await axe(visit.page)).toEqual([]);
  await shot(visit.page, "ops-signin-provider");
});

test("where there is no provider nothing leads to one", async () => {
  visit = await goTo(browser, new URL("/ops", server.demo.base_url).href, { viewport: DESK, expect: /401/ });
  await visit.page.getByLabel("Ops key").waitFor();
  expect(await visit.page.getByRole("link").count()).toBe(0);
});

test("a search that finds nothing, and filters with nothing in them, say so", async () => {
  visit = await openOps(browser, server.demo);
  await visit.page.locator("#search").fill("no such thing");
  await textOf(visit.page, ".empty", "Nothing found for “no such thing”");
  await visit.page.getByRole("button", { name: "Clear the search" }).click();
  await visit.page.getByRole("button", { name: /^Late/ }).click();
  await textOf(visit.page, ".empty", "Nothing is late.");
  expect(await axe(visit.page)).toEqual([]);
});

test("a lost socket is said in the bar and comes back by itself", async () => {
  visit = await openOps(browser, server.demo, {
    init: () => {
      const sockets: WebSocket[] = [];
      Object.assign(globalThis, { sockets });
      globalThis.WebSocket = class extends WebSocket {
        constructor(url: string | URL, protocols?: string | string[]) {
          super(url, protocols);
          sockets.push(this);
        }
      };
    },
  });
  await visit.page.evaluate(() => {
    const said: string[] = [];
    Object.assign(globalThis, { said });
    new MutationObserver(() => said.push(document.querySelector(".pulse")?.className ?? ""))
      .observe(document.body, { subtree: true, attributes: true, attributeFilter: ["class"] });
    (globalThis as unknown as { sockets: WebSocket[] }).sockets.at(-1)?.close();
  });
  await poll("it to say so", () => visit.page.evaluate(() =>
    (globalThis as unknown as { said: string[] }).said.some((name) => name.includes("is-reconnecting"))));
  await live(visit.page);
});

test("without WebGL the list stays and says why it is alone", async () => {
  visit = await openOps(browser, server.demo, {
    init: () => {
      const original = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, kind: string, ...rest: unknown[]) {
        return kind.startsWith("webgl") ? null : Reflect.apply(original, this, [kind, ...rest]);
      } as typeof original;
    },
  });
  await textOf(visit.page, ".map-missing", "WebGL");
  await row(visit.page, "Wendy Width").click();
  await textOf(visit.page, "#sheet-title", "Wendy Width");
  await shot(visit.page, "ops-no-webgl");
});

test("from 320 to 2560 px nothing runs off the side, with a sheet open as well", async () => {
  visit = await openOps(browser, server.demo);
  for (const width of [320, 390, 768, 1024, 1440, 2560]) {
    await visit.page.setViewportSize({ width, height: Math.max(600, Math.round(width * 0.5)) });
    await poll(`nothing to run off at ${width}`, async () => (await sideways(visit.page)) <= 0);
    await row(visit.page, "Wendy Width").click();
    await visit.page.locator(".stop").click();
    await textOf(visit.page, "#sheet-title", "a rather long order number");
    expect(await sideways(visit.page)).toBeLessThanOrEqual(0);
    const sheet = await visit.page.locator(".sheet").boundingBox();
    expect(sheet && sheet.x >= 0 && sheet.x + sheet.width <= width).toBe(true);
    await shot(visit.page, `ops-${width}`);
    await visit.page.getByRole("button", { name: "Close" }).click();
  }
});

test("with text twice as large everything is still there", async () => {
  visit = await openOps(browser, server.demo, {
    init: () => {
      addEventListener("DOMContentLoaded", () => { document.documentElement.style.fontSize = "200%"; });
    },
  });
  await row(visit.page, "Wendy Width").click();
  await textOf(visit.page, "#sheet-title", "Wendy Width");
  expect(await sideways(visit.page)).toBeLessThanOrEqual(0);
  for (const name of ["New delivery", "Keys", "Close"]) {
    expect(await visit.page.getByRole("button", { name, exact: true }).isVisible()).toBe(true);
  }
  await shot(visit.page, "ops-large-text");
});

test("in the dark", async () => {
  visit = await openOps(browser, server.demo, { colorScheme: "dark", reducedMotion: "reduce" });
  await mapView(visit.page);
  await row(visit.page, "Wendy Width").click();
  await textOf(visit.page, "#sheet-title", "Wendy Width");
  expect(await axe(visit.page)).toEqual([]);
  await shot(visit.page, "ops-dark");
});

test("with nobody on shift it says how to begin", async () => {
  visit = await openOps(browser, server.demo);
  for (const { token } of [wendy, ...server.demo.couriers]) await call("PUT", "/v1/courier/shift", token, { on_duty: false });
  const { items } = (await call("GET", "/v1/deliveries?status=created&limit=200")) as List<Delivery>;
  for (const { id } of items) await call("POST", `/v1/deliveries/${id}/cancel`, server.demo.ops_key, { reason: "closing" });
  await textOf(visit.page, ".empty", "No couriers on shift.");
  expect(await axe(visit.page)).toEqual([]);
  await shot(visit.page, "ops-empty");
  await visit.page.getByRole("button", { name: "Create a courier" }).click();
  await visit.page.getByLabel("Name").fill("First One");
  await visit.page.getByRole("button", { name: "Create", exact: true }).click();
  const token = await textOf(visit.page, ".token", /.+/);
  await call("PUT", "/v1/courier/shift", token.trim(), { on_duty: true });
  await row(visit.page, "First One").waitFor();
});

async function call(method: string, path: string, key = server.demo.ops_key, body?: unknown): Promise<unknown> {
  const response = await fetch(new URL(path, server.demo.base_url), {
    method, headers: { "Authorization": `Bearer ${key}`, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? null : response.json();
}
