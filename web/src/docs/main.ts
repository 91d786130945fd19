// Renders /openapi.json readably, with nothing from any other host.
import { groups, limits, resolve, typeName } from "./openapi.ts";
import type { Body, Document, Endpoint, Group, Parameter, Schema } from "./openapi.ts";

type Child = Node | string | null;

function h(name: string, className = "", ...children: Child[]): HTMLElement {
  const made = document.createElement(name);
  if (className !== "") made.className = className;
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Descriptions are Markdown; ours use paragraphs and `code`, and only those are read. */
function prose(text: string | undefined): HTMLElement[] {
  return (text ?? "").split(/\n{2,}/).filter((paragraph) => paragraph.trim() !== "").map((paragraph) =>
    h("p", "", ...paragraph.split(/(`[^`]+`)/).map((part) => part.startsWith("`") ? h("code", "", part.slice(1, -1)) : part)));
}

function fieldRow(api: Document, name: string, schema: Schema, required: boolean, seen: string[]): HTMLElement {
  const full = resolve(api, schema);
  const notes = limits(full);
  const row = h("li", "",
    h("p", "field", h("code", "name", name), h("span", "type", typeName(schema)), required ? h("span", "required", "required") : null),
    ...prose(schema.description ?? full.description),
    notes === "" ? null : h("p", "limits", notes));
  const inner = full.type === "array" || (Array.isArray(full.type) && full.type.includes("array")) ? full.items : schema;
  const nested = inner === undefined ? null : fields(api, inner, seen);
  if (nested !== null) row.append(h("details", "", h("summary", "", `fields of ${name}`), nested));
  return row;
}

function fields(api: Document, schema: Schema, seen: string[] = []): HTMLElement | null {
  const name = schema.$ref ?? "";
  if (name !== "" && seen.includes(name)) return null;
  const full = resolve(api, schema);
  const either = full.oneOf ?? full.anyOf;
  if (either !== undefined) {
    const shapes = either.map((shape) => fields(api, shape, [...seen, name])).filter((shape) => shape !== null);
    return shapes.length === 0 ? null : h("div", "", ...shapes.flatMap((shape, i) => i === 0 ? [shape] : [h("p", "or", "or"), shape]));
  }
  const inner = full.type === "array" && full.items !== undefined ? resolve(api, full.items) : full;
  const properties = Object.entries(inner.properties ?? {}).filter(([key]) => key !== "$schema");
  if (properties.length === 0) return null;
  return h("ul", "fields", ...properties.map(([key, property]) =>
    fieldRow(api, key, property, inner.required?.includes(key) ?? false, [...seen, name])));
}

function parameters(api: Document, list: Parameter[] | undefined): HTMLElement[] {
  if (list === undefined || list.length === 0) return [];
  return [h("h4", "", "Parameters"), h("ul", "fields", ...list.map((parameter) =>
    fieldRow(api, parameter.name, { ...parameter.schema, description: `${parameter.description ?? ""} (in ${parameter.in})`.trim() },
      parameter.required ?? false, [])))];
}

function body(api: Document, title: string, content: Body | undefined): HTMLElement[] {
  const [type, media] = Object.entries(content?.content ?? {})[0] ?? [];
  if (type === undefined || media?.schema === undefined) return [];
  return [h("h4", "", title), h("p", "media", h("code", "", type), ` ${typeName(media.schema)}`),
    fields(api, media.schema) ?? h("p", "", "")].filter((part) => part.childNodes.length > 0);
}

function responses(api: Document, all: Record<string, Body> | undefined): HTMLElement[] {
  return Object.entries(all ?? {}).map(([code, response]) => h("details", "response",
    h("summary", "", h("code", code.startsWith("2") ? "good" : "bad", code), ` ${response.description ?? ""}`),
    ...body(api, "Body", response)));
}

function example({ method, path, operation }: Endpoint): HTMLElement {
  const open = operation.security?.length === 0 || path.includes("{token}");
  const lines = [`curl ${method === "get" ? "" : `-X ${method.toUpperCase()} `}${location.origin}${path}`];
  if (!open) lines.push("-H \"Authorization: Bearer $KEY\"");
  if (operation.requestBody !== undefined) lines.push("-H \"Content-Type: application/json\" -d @body.json");
  return h("pre", "", lines.join(" \\\n  "));
}

function endpoint(api: Document, one: Endpoint): HTMLElement {
  const { operation } = one;
  const section = h("article", "operation",
    h("h3", "", h("span", `method ${one.method}`, one.method.toUpperCase()), h("code", "", one.path)),
    operation.summary === undefined ? null : h("p", "summary", operation.summary),
    ...prose(operation.description), example(one), ...parameters(api, operation.parameters),
    ...body(api, "Body", operation.requestBody), h("h4", "", "Answers"), ...responses(api, operation.responses));
  section.id = one.id;
  // A long line of a request scrolls by itself, so it must be reachable by keyboard.
  section.querySelector("pre")!.tabIndex = 0;
  return section;
}

function show(api: Document): void {
  const all = groups(api);
  document.title = `${api.info.title} API`;
  document.getElementById("title")!.textContent = `${api.info.title} API ${api.info.version}`;
  document.getElementById("lead")!.before(...prose(api.info.description));
  document.getElementById("operations")!.replaceChildren(...all.map((group) =>
    h("section", "", h("h2", "", group.name), ...prose(group.description), ...group.endpoints.map((one) => endpoint(api, one)))));
  const find = document.getElementById("find") as HTMLInputElement;
  const list = () => document.getElementById("index")!.replaceChildren(...index(all, find.value.trim().toLowerCase()));
  find.addEventListener("input", list);
  list();
  // The browser looked for the address's anchor before it existed.
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function index(all: Group[], wanted: string): HTMLElement[] {
  return all.flatMap((group) => {
    const matching = group.endpoints.filter(({ method, path, operation }) =>
      `${method} ${path} ${operation.summary ?? ""}`.toLowerCase().includes(wanted));
    if (matching.length === 0) return [];
    return [h("p", "group", group.name), h("ul", "", ...matching.map((one) => {
      const link = h("a", "", h("span", `method ${one.method}`, one.method.toUpperCase()), one.path) as HTMLAnchorElement;
      link.href = `#${one.id}`;
      return h("li", "", link);
    }))];
  });
}

async function load(): Promise<void> {
  const target = document.getElementById("operations")!;
  try {
    const response = await fetch("/openapi.json");
    if (!response.ok) throw new Error(String(response.status));
    show((await response.json()) as Document);
  } catch {
    target.replaceChildren(h("p", "", "The description of the API could not be read. Reload the page to try again."));
  }
  target.removeAttribute("aria-busy");
}

void load();
