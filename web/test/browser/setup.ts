// One server for all browser tests: each test makes its own couriers and deliveries, so none sees another's.
import type { TestProject } from "vitest/node";
import { startServer } from "../harness.ts";
import type { Demo } from "../harness.ts";

declare module "vitest" {
  export interface ProvidedContext { demo: Demo }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer();
  project.provide("demo", server.demo);
  return server.stop;
}
