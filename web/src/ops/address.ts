// What the address bar carries: the selection, the view of the map, the filter. All of it lives in the fragment, so a
// link can be sent to a colleague and nothing about a delivery reaches a server log.

export type Filter = "all" | "late" | "silent" | "waiting";

export const filters: readonly Filter[] = ["all", "late", "silent", "waiting"];

export interface Selection {
  kind: "courier" | "delivery";
  id: string;
}

export interface MapView {
  lat: number;
  lon: number;
  zoom: number;
}

export interface Address {
  selection: Selection | null;
  view: MapView | null;
  filter: Filter;
  query: string;
}

const idShape = /^[0-9A-Za-z-]{1,64}$/;

export function readAddress(hash: string): Address {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const filter = fields.get("filter") as Filter | null;
  return {
    selection: selected(fields, "delivery") ?? selected(fields, "courier"),
    view: viewFrom(fields.get("map")),
    filter: filter !== null && filters.includes(filter) ? filter : "all",
    query: (fields.get("q") ?? "").slice(0, 80),
  };
}

/** The fragment for an address, without '#'; empty parts are left out, so the plain page has a plain address. */
export function writeAddress({ selection, view, filter, query }: Address): string {
  const parts: string[] = [];
  if (selection) parts.push(`${selection.kind}=${encodeURIComponent(selection.id)}`);
  if (filter !== "all") parts.push(`filter=${filter}`);
  if (query !== "") parts.push(`q=${encodeURIComponent(query)}`);
  if (view) parts.push(`map=${view.lat.toFixed(5)},${view.lon.toFixed(5)},${view.zoom.toFixed(2)}`);
  return parts.join("&");
}

function selected(fields: URLSearchParams, kind: Selection["kind"]): Selection | null {
  const id = fields.get(kind);
  return id !== null && idShape.test(id) ? { kind, id } : null;
}

function viewFrom(text: string | null): MapView | null {
  const numbers = (text ?? "").split(",").map(Number);
  const [lat, lon, zoom] = numbers;
  if (numbers.length !== 3 || lat === undefined || lon === undefined || zoom === undefined) return null;
  if (!(Math.abs(lat) <= 90) || !(Math.abs(lon) <= 180) || !(zoom >= 0 && zoom <= 24)) return null;
  return { lat, lon, zoom };
}
