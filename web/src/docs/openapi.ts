// As much of OpenAPI 3.1 as our own document uses.

export interface Schema {
  $ref?: string; type?: string | string[]; format?: string; description?: string; enum?: unknown[]; const?: unknown;
  properties?: Record<string, Schema>; required?: string[]; items?: Schema; additionalProperties?: Schema | boolean;
  oneOf?: Schema[]; anyOf?: Schema[]; allOf?: Schema[]; minimum?: number; maximum?: number; maxItems?: number; maxLength?: number;
  pattern?: string; default?: unknown; examples?: unknown[];
}
export interface Parameter { name: string; in: string; required?: boolean; description?: string; schema?: Schema; $ref?: string }
export interface Media { schema?: Schema }
export interface Body { description?: string; required?: boolean; content?: Record<string, Media> }
export interface Operation {
  operationId?: string; summary?: string; description?: string; tags?: string[]; parameters?: Parameter[];
  requestBody?: Body; responses?: Record<string, Body>; security?: Record<string, string[]>[];
}
export interface Document {
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, unknown>>;
  tags?: { name: string; description?: string }[];
  components?: { schemas?: Record<string, Schema> };
}
export interface Endpoint { method: string; path: string; id: string; operation: Operation }
export interface Group { name: string; description: string; endpoints: Endpoint[] }

const METHODS = ["get", "post", "put", "patch", "delete"];

/** The operations by tag, in the order of the document; one without a tag goes by the first part of its path. */
export function groups(document: Document): Group[] {
  const all = new Map<string, Group>();
  for (const tag of document.tags ?? []) all.set(tag.name, { name: tag.name, description: tag.description ?? "", endpoints: [] });
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method] as Operation | undefined;
      if (operation === undefined) continue;
      const name = operation.tags?.[0] ?? path.split("/").find((part) => part !== "" && !/^v\d+$/.test(part)) ?? "other";
      if (!all.has(name)) all.set(name, { name, description: "", endpoints: [] });
      all.get(name)!.endpoints.push({ method, path, operation, id: operation.operationId ?? `${method}${path.replaceAll(/\W+/g, "-")}` });
    }
  }
  return [...all.values()].filter((group) => group.endpoints.length > 0);
}

export function resolve(document: Document, schema: Schema): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return name === undefined ? schema : (document.components?.schemas?.[name] ?? schema);
}

/** A type in a few words: "string (date-time)", "array of Delivery", "number or null". */
export function typeName(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.split("/").at(-1)!;
  const parts = schema.oneOf ?? schema.anyOf;
  if (parts !== undefined) return [...new Set(parts.map(typeName))].join(" or ");
  if (schema.enum !== undefined) return schema.enum.map(String).join(" | ");
  if (schema.const !== undefined) return String(schema.const);
  const types = [schema.type ?? (schema.properties ? "object" : "any")].flat();
  return types.map((type) => type === "array" && schema.items ? `array of ${typeName(schema.items)}`
    : type !== "null" && schema.format !== undefined ? `${type} (${schema.format})` : type).join(" or ");
}

/** The limits a client would otherwise learn from a 422. */
export function limits(schema: Schema): string {
  const said: string[] = [];
  if (schema.minimum !== undefined) said.push(`at least ${schema.minimum}`);
  if (schema.maximum !== undefined) said.push(`at most ${schema.maximum}`);
  if (schema.maxItems !== undefined) said.push(`at most ${schema.maxItems} items`);
  if (schema.maxLength !== undefined) said.push(`at most ${schema.maxLength} characters`);
  if (schema.default !== undefined) said.push(`default ${JSON.stringify(schema.default)}`);
  return said.join(", ");
}
