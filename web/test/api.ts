// The public API as a shop and a courier use it, as far as tests need it to bring a state about.
import type { Courier, Delivery, Position, Status, Vehicle } from "../src/protocol.ts";
import type { Demo } from "./harness.ts";

export type NewCourier = Courier & { token: string };
type Fix = Partial<Position> & { lat: number; lon: number };

/** Two ends of an ordinary trip through the demo city. */
export const SHOP = { lat: 37.7793, lon: -122.4139, name: "Corner Bakery", address: "1 Grove Street" };
export const DOOR = { lat: 37.7892, lon: -122.401, name: "Noor", address: "1 Main Street, San Francisco" };

export class Api {
  readonly #demo: Demo;

  constructor(demo: Demo) {
    this.#demo = demo;
  }

  async courier(name: string, vehicle: Vehicle = "bike"): Promise<NewCourier> {
    const courier = await this.#call<NewCourier>("POST", "/v1/couriers", this.#demo.merchant_key, { name, vehicle });
    await this.shift(courier, true);
    return courier;
  }

  shift(courier: NewCourier, onDuty: boolean): Promise<unknown> {
    return this.#call("PUT", "/v1/courier/shift", courier.token, { on_duty: onDuty });
  }

  delivery(more: Record<string, unknown> = {}): Promise<Delivery> {
    return this.#call("POST", "/v1/deliveries", this.#demo.merchant_key, {
      pickup: SHOP, dropoff: DOOR, recipient: { name: "Noor" }, ...more,
    });
  }

  assign(delivery: Delivery, courier: NewCourier): Promise<Delivery> {
    return this.#merchant(`/v1/deliveries/${delivery.id}/assign`, { courier_id: courier.id });
  }

  unassign(delivery: Delivery): Promise<Delivery> {
    return this.#merchant(`/v1/deliveries/${delivery.id}/unassign`, {});
  }

  cancel(delivery: Delivery, reason: string): Promise<Delivery> {
    return this.#merchant(`/v1/deliveries/${delivery.id}/cancel`, { reason });
  }

  revokeLink(delivery: Delivery): Promise<unknown> {
    return this.#merchant(`/v1/deliveries/${delivery.id}/link/revoke`, {});
  }

  route(courier: NewCourier, deliveries: Delivery[]): Promise<unknown> {
    return this.#call("PUT", `/v1/couriers/${courier.id}/route`, this.#demo.merchant_key, {
      delivery_ids: deliveries.map((delivery) => delivery.id),
    });
  }

  status(courier: NewCourier, delivery: Delivery, status: Status, more: Record<string, unknown> = {}): Promise<unknown> {
    return this.#call("POST", `/v1/courier/deliveries/${delivery.id}/status`, courier.token, {
      status, client_event_id: crypto.randomUUID(), ...more,
    });
  }

  /** From where it is to the wanted status, by the moves a courier makes. */
  async advance(courier: NewCourier, delivery: Delivery, to: "picked_up" | "en_route" | "arriving"): Promise<void> {
    for (const status of ["picked_up", "en_route", "arriving"] as const) {
      await this.status(courier, delivery, status);
      if (status === to) return;
    }
  }

  position(courier: NewCourier, fix: Fix, ageMs = 0): Promise<unknown> {
    return this.#call("POST", "/v1/courier/positions", courier.token, {
      recorded_at: new Date(Date.now() - ageMs).toISOString(), accuracy_m: 6, speed_mps: 6, heading_deg: 45, ...fix,
    });
  }

  async get(path: string): Promise<Response> {
    return fetch(new URL(path, this.#demo.base_url));
  }

  #merchant<T>(path: string, body: unknown): Promise<T> {
    return this.#call<T>("POST", path, this.#demo.merchant_key, body);
  }

  async #call<T>(method: string, path: string, key: string, body: unknown): Promise<T> {
    const response = await fetch(new URL(path, this.#demo.base_url), {
      method, body: JSON.stringify(body),
      headers: { "Authorization": `Bearer ${key}`, "Content-Type": "application/json" },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === "" ? null : JSON.parse(text)) as T;
  }
}

/** A point so far along the trip from shop to door. */
export function along(part: number): { lat: number; lon: number } {
  return { lat: SHOP.lat + (DOOR.lat - SHOP.lat) * part, lon: SHOP.lon + (DOOR.lon - SHOP.lon) * part };
}
