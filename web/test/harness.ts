// What browser tests stand on: the real server with its own Postgres and Redis, a small API client that brings every state
// about the way couriers and shops do, and a browser that notices what a page must never do.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const BINARY = process.env.HOTFOOT_BIN ?? fileURLToPath(new URL("../../bin/hotfoot", import.meta.url));
const START_MS = 60_000;

export interface Demo {
  base_url: string; ops_url: string; ops_key: string; merchant_key: string;
  couriers: { id: string; token: string }[];
  deliveries: { id: string; tracking_token: string; tracking_url: string }[];
}

export interface Server { demo: Demo; stop: () => Promise<void> }

/** Starts `hotfoot demo` in a folder of its own and waits until it has written where it is. */
export async function startServer(couriers = 6): Promise<Server> {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: build it first (go build -o bin/hotfoot ./cmd/hotfoot)`);
  const folder = mkdtempSync(join(tmpdir(), "hotfoot-web-"));
  const child = spawn(BINARY, ["demo", "--couriers", String(couriers), "--data-dir", folder, "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (output += data.toString()));
  const exited = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
  const stop = async () => {
    child.kill("SIGTERM");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const demo = await poll("the server's demo.json", () => readDemo(folder, child, output), START_MS);
    return { demo, stop };
  } catch (error) {
    await stop();
    throw new Error(`the server did not start:\n${output}`, { cause: error });
  }
}

function readDemo(folder: string, child: ChildProcess, output: string): Demo | null {
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${output}`);
  const file = join(folder, "demo.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Demo) : null;
}

/** Asks until the answer is neither null nor false, and says what it waited for when it never came. */
export async function poll<T>(what: string, ask: () => T | Promise<T>, timeoutMs = 15_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    last = await ask();
    if (last !== null && last !== undefined && last !== false) return last as NonNullable<T>;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
}
