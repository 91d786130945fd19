// Two hundred texts that would be scripts if a page took them for more than texts; the server's own tests send the same through every field.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("payloads.json", import.meta.url));

export const PAYLOADS = (JSON.parse(readFileSync(file, "utf8")) as { script: string[] }).script;
