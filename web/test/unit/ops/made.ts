// Deliveries, couriers and frames to test with: a plain one of each, changed as a test needs it.
import type { Delivery, NearbyCourier, OpsFrame } from "../../../src/protocol.ts";

export const noon = Date.parse("2026-05-04T12:00:00.000Z");

export const ago = (seconds: number): string => new Date(noon - seconds * 1000).toISOString();

export function delivery(change: Partial<Delivery> = {}): Delivery {
  return {
    id: "d1", external_id: "A-1", status: "assigned", ver: 2, epoch: 1,
    courier: { id: "sam", name: "Sam", vehicle: "bike" }, courier_id: "sam", stops_before: 0,
    pickup: { lat: 37.78, lon: -122.41, name: "Tartine", address: "600 Guerrero St" },
    dropoff: { lat: 37.79, lon: -122.4, address: "1 Main St" },
    recipient: { name: "Ada Lovelace" }, window: null, note: null, tracking_token: "t", tracking_url: "/t/t",
    created_at: ago(600), updated_at: ago(600), finished_at: null,
    ...change,
  };
}

export function waiting(change: Partial<Delivery> = {}): Delivery {
  return delivery({ id: "d9", external_id: "A-9", status: "created", ver: 1, courier: null, courier_id: null, ...change });
}

export function onDuty(id: string, change: Partial<NearbyCourier> = {}): NearbyCourier {
  return {
    id, name: id[0]?.toUpperCase() + id.slice(1), vehicle: "bike", phone: null, on_duty: true, stops: 0, delivery_ids: [],
    position: { lat: 37.78, lon: -122.41, recorded_at: ago(3) },
    ...change,
  };
}

export function frame(change: Partial<OpsFrame> = {}): OpsFrame {
  return { type: "frame", n: 1, at: ago(0), couriers: [], gone: [], events: [], alerts: [], ...change };
}
