// The REST side of the ops page: fetch, for which the session stands, and errors as one sentence a dispatcher can act on.

import type { Delivery, Event, List, NearbyCourier, Place, Problem, TimeWindow, Vehicle } from "../protocol.ts";
import { openStatuses } from "./moves.ts";

/** A delivery's way so far, as GeoJSON. */
export interface Track {
  type: "Feature";
  geometry: { type: "LineString"; coordinates: [number, number][] } | null;
}

/** A refused or failed request. `message` is for people; `code` is the server's stable code, or 'unreachable'. */
export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
    this.name = "ApiError";
  }
}

export interface NewDelivery {
  pickup: Place;
  dropoff: Place;
  external_id?: string;
  recipient?: { name: string; phone?: string };
  window?: TimeWindow;
  courier_id?: string;
  note?: string;
}

export type Api = ReturnType<typeof createApi>;

const patience = 10_000;

/** A roster that is as long as this may have more who are not in it. */
const rosterLimit = 5000;

export function createApi(base = "", send: typeof fetch = (...a) => fetch(...a)) {
  async function ask(method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response: Response;
    try {
      response = await send(base + path, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(patience),
      });
    } catch {
      throw new ApiError(0, "unreachable", "The server cannot be reached. Nothing was changed; try again.");
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }

  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await ask(method, path, body);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  /** What the server may have kept for a while, and how old it is at most: Age is in whole seconds (RFC 9111). */
  async function kept<T>(path: string): Promise<T & { ageMs: number }> {
    const response = await ask("GET", path);
    return { ...(await response.json() as T), ageMs: 1000 * (Number(response.headers.get("Age") ?? 0) + 1) };
  }

  return {
    couriers: () => kept<List<NearbyCourier>>(`/v1/ops/couriers?limit=${rosterLimit}`),
    couriersNear: (place: Place, radius: number) =>
      call<List<NearbyCourier>>("GET", `/v1/ops/couriers?near=${place.lat},${place.lon}&radius_m=${radius}`),
    openDeliveries: (cursor: string | null) =>
      call<List<Delivery>>("GET", `/v1/deliveries?status=${openStatuses.join(",")}&limit=200${
        cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`),
    deliveriesOf: (courier: string) =>
      call<List<Delivery>>("GET", `/v1/deliveries?courier_id=${encodeURIComponent(courier)}&status=${openStatuses.join(",")}&limit=200`),
    delivery: (id: string) => call<Delivery>("GET", delivery(id)),
    events: (id: string) => call<List<Event>>("GET", `${delivery(id)}/events`),
    track: (id: string) => call<Track>("GET", `${delivery(id)}/track`),
    createDelivery: (body: NewDelivery) => call<Delivery>("POST", "/v1/deliveries", body),
    assign: (id: string, courier: string) => call<Delivery>("POST", `${delivery(id)}/assign`, { courier_id: courier }),
    unassign: (id: string) => call<Delivery>("POST", `${delivery(id)}/unassign`, {}),
    cancel: (id: string, reason: string) => call<Delivery>("POST", `${delivery(id)}/cancel`, { reason }),
    revokeLink: (id: string) => call<void>("POST", `${delivery(id)}/link/revoke`, {}),
    reorder: (courier: string, ids: string[]) =>
      call<void>("PUT", `/v1/couriers/${encodeURIComponent(courier)}/route`, { delivery_ids: ids }),
    createCourier: (body: { name: string; vehicle: Vehicle }) =>
      call<{ id: string; name: string; token: string }>("POST", "/v1/couriers", body),
  };
}

function delivery(id: string): string {
  return `/v1/deliveries/${encodeURIComponent(id)}`;
}

async function refusal(response: Response): Promise<ApiError> {
  const problem: Partial<Problem> = await response.json().catch(() => ({}));
  const field = problem.errors?.[0];
  const said = field?.message
    ? `${field.location.replace(/^body\./, "")} ${field.message}`.trim()
    : problem.detail ?? problem.title ?? `The server answered ${response.status}.`;
  return new ApiError(response.status, problem.code ?? `http_${response.status}`, advice(response, said));
}

function advice(response: Response, said: string): string {
  switch (response.status) {
    case 401:
      return "You are not signed in (any more). Load the page again and sign in.";
    case 403:
      return `Your key may not do that. ${sentence(said)}`;
    case 429:
    case 503: {
      const wait = response.headers.get("Retry-After");
      return `${sentence(said)} Try again ${wait ? `in ${wait} s` : "in a moment"}.`;
    }
    default:
      return sentence(said);
  }
}

function sentence(text: string): string {
  const trimmed = text.trim();
  const start = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}
