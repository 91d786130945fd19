// A browser for tests, and the page that reports what no page of ours may do: break the content security policy, ask
// another origin for anything, or log an error.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { poll } from "./harness.ts";

const CHROMES = [
  "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
const QUIET = [
  "--no-sandbox", "--enable-unsafe-swiftshader", "--disable-background-networking", "--disable-component-update",
  // A page answered by the test itself has no address, and may then not open a socket to this machine.
  "--disable-features=LocalNetworkAccessChecks", "--disable-sync", "--no-first-run", "--no-default-browser-check",
];
export const SCREENSHOTS = fileURLToPath(new URL("screenshots/", import.meta.url));
const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export function launch(...args: string[]): Promise<Browser> {
  const executablePath = process.env.CHROME_BIN ?? CHROMES.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error("no Chromium found: install it, or name it in CHROME_BIN");
  return chromium.launch({ executablePath, chromiumSandbox: false, args: [...QUIET, ...args] });
}

export interface Visit { page: Page; problems: string[]; close: () => Promise<void> }

export interface VisitOptions extends BrowserContextOptions {
  /** Runs in the page before any of its scripts. */
  init?: () => void;
  /** Runs before the page is asked for: a route, a socket in between. */
  prepare?: (page: Page) => Promise<unknown>;
  /** Console errors that the test provokes, such as a 404 it asks for. */
  expect?: RegExp;
}

export async function visit(browser: Browser, url: string, options: VisitOptions = {}): Promise<Visit> {
  const { init, prepare, expect, ...context } = options;
  const where = await browser.newContext({
    viewport: { width: 390, height: 780 }, locale: "en-GB", timezoneId: "America/Los_Angeles", colorScheme: "light", ...context,
  });
  const page = await where.newPage();
  const problems: string[] = [];
  const origin = new URL(url).origin;
  page.on("request", (request) => {
    const asked = new URL(request.url());
    if (asked.protocol.startsWith("http") && asked.origin !== origin) problems.push(`asked another origin: ${asked.href}`);
  });
  page.on("pageerror", (error) => problems.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    const ours = message.type() === "error" && !expect?.test(text);
    if (ours || text.includes("Content Security Policy")) problems.push(`console: ${text}`);
  });
  if (context.javaScriptEnabled !== false) {
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        console.error(`Content Security Policy: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    if (init) await page.addInitScript(init);
  }
  await prepare?.(page);
  await page.goto(url);
  return { page, problems, close: () => where.close() };
}

/** Waits for text to stand somewhere; a function given as a string would hang under our policy, so this asks again. */
export async function textOf(page: Page, selector: string, wanted: string | RegExp, timeoutMs?: number): Promise<string> {
  let seen = "";
  try {
    return await poll(`${selector} to say ${wanted}`, async () => {
      seen = ((await page.locator(selector).first().textContent()) ?? "").trim();
      return (typeof wanted === "string" ? seen.includes(wanted) : wanted.test(seen)) ? `${seen} ` : null;
    }, timeoutMs);
  } catch (error) {
    throw new Error(`${(error as Error).message}; it says ${JSON.stringify(seen)}`, { cause: error });
  }
}

export async function shot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}${name}.png` });
}

/** For the README, only when asked: pictures in git should change when the design does, not with every run. */
export async function documentationImage(page: Page, name: string): Promise<void> {
  if (process.env.UPDATE_IMAGES !== "1") return;
  const folder = fileURLToPath(new URL("../../docs/images/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}${name}.png` });
}

interface AxeResult { violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }

/** What axe finds, one line each; an empty list is the only good answer. */
export async function axe(page: Page): Promise<string[]> {
  // Evaluated over the debugging protocol, so the page's own policy stays as strict as it is.
  await page.evaluate(readFileSync(AXE, "utf8"));
  const result = await page.evaluate(async () => {
    const { axe: run } = globalThis as unknown as { axe: { run: () => Promise<AxeResult> } };
    return run.run();
  });
  return result.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html} ${node.failureSummary ?? ""}`));
}
